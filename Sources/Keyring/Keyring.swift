internal import OpenSSL

/// The keys of a cluster while it is unsealed, and everything that is encrypted under them.
///
///     seal -> root key -> domain keys, by term -> key-encryption keys -> one data key per secret version -> value
///
/// A domain key seals log entries and metadata records and wraps the key-encryption keys. Each layer authenticates the cluster,
/// the purpose, the key's reference and the object that the ciphertext belongs to, so that nothing decrypts anywhere but where
/// it was put.
///
/// Immutable after `init` and safe from any thread. Key material is zeroed when the keyring is released.
package final class Keyring: Sendable {
    /// Identifies the cluster in every associated data: 32 hexadecimal digits, chosen at random when the cluster is made.
    package let clusterID: String
    /// The domain key term that new records and log entries are sealed under.
    package let currentTerm: UInt32

    /// The wrapped keys and their names, and the key that opens them: what a node that joins is given.
    let file: KeyringFile
    let root: SecretBytes
    private let domainKeys: [UInt32: DomainKey]
    /// The same keys by the reference that ciphertexts name.
    let domainKeysByReference: [String: WrappingKey]
    private let keyEncryptionKeys: [String: WrappingKey]
    /// Keys the fingerprints that `apply` compares. One for the life of the cluster: a new one would make equal values look different.
    private let fingerprintKey: HMACKey

    /// A domain key and what is derived from it once.
    struct DomainKey: Sendable {
        let wrapping: WrappingKey
        /// Makes the salts of records: see ``Keyring/sealRecord(_:table:key:revision:term:)``.
        let recordSalt: HMACKey
    }

    /// Makes the keys of a new cluster and writes them, wrapped, to `path`.
    ///
    /// - Throws: ``KeyringError/file(_:)`` when the file cannot be written.
    package static func create(clusterID: String, seal: some Seal, path: String) throws(KeyringError) -> Keyring {
        let root = SecretBytes.random(count: AESGCM.keyByteCount)
        let rootKeyID = Self.randomIdentifier()
        var file = KeyringFile(clusterID: clusterID, sealKind: type(of: seal).kind, rootKeyID: rootKeyID, sealedRootKey: [], keys: [])
        file.sealedRootKey = try seal.wrap(root, context: file.sealContext)
        file.keys = newKeys(clusterID: clusterID, root: WrappingKey(reference: "root/" + rootKeyID, key: root))
        try PrivateFile.write(file.encode().span.bytes, to: path)
        return try Keyring(file, root: root)
    }

    /// Opens the keyring file of a node with its seal.
    ///
    /// - Throws: ``KeyringError/wrongSeal``; ``KeyringError/file(_:)`` for a missing, foreign or damaged file.
    package static func open(path: String, seal: some Seal) throws(KeyringError) -> Keyring {
        let bytes = try PrivateFile.read(path).withUnsafeBytes { [UInt8]($0) }
        guard let file = KeyringFile(decoding: bytes) else { throw .file("'\(path)' is not a keyring of this version of conclave") }
        guard file.sealKind == type(of: seal).kind else {
            throw .file("'\(path)' is sealed by '\(file.sealKind)', not by '\(type(of: seal).kind)'")
        }
        return try Keyring(file, root: try seal.unwrap(file.sealedRootKey, context: file.sealContext))
    }

    /// A keyring of random keys that exists in memory only.
    package static func forTesting(clusterID: String = "0123456789abcdef0123456789abcdef") -> Keyring {
        let root = SecretBytes.random(count: AESGCM.keyByteCount)
        let keys = newKeys(clusterID: clusterID, root: WrappingKey(reference: "root/test", key: root))
        let file = KeyringFile(clusterID: clusterID, sealKind: "none", rootKeyID: "test", sealedRootKey: [], keys: keys)
        guard let keyring = try? Keyring(file, root: root) else { preconditionFailure("keys wrapped a line above open with the same root") }
        return keyring
    }

    /// 32 random hexadecimal digits.
    package static func randomIdentifier() -> String {
        let bytes = SecureRandom.bytes(16)
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Building

    /// The key-encryption keys that every cluster has.
    enum KeyReference {
        static let secretsManager = "aws/secretsmanager/1"
        static let credentials = "kek/iam/1"
        static let fingerprint = "kek/fingerprint/1"
        static let all = [secretsManager, credentials, fingerprint]
        static func domain(_ term: UInt32) -> String { "domain/\(term)" }
    }

    private static func newKeys(clusterID: String, root: WrappingKey) -> [KeyringFile.Key] {
        func wrapped(_ key: SecretBytes, _ reference: String, under wrapping: WrappingKey, _ purpose: Purpose) -> KeyringFile.Key {
            let blob = MessageWrap.seal(key.bytes, under: wrapping, cluster: clusterID, purpose: purpose) { $0.append(reference) }
            return KeyringFile.Key(reference: reference, wrapped: blob)
        }
        let domain = SecretBytes.random(count: AESGCM.keyByteCount)
        let domainReference = KeyReference.domain(1)
        let domainKey = WrappingKey(reference: domainReference, key: domain)
        return [wrapped(domain, domainReference, under: root, .domainKey)]
            + KeyReference.all.map { wrapped(.random(count: AESGCM.keyByteCount), $0, under: domainKey, .keyEncryptionKey) }
    }

    init(_ file: KeyringFile, root: SecretBytes) throws(KeyringError) {
        let rootKey = WrappingKey(reference: "root/" + file.rootKeyID, key: root)
        func open(_ key: KeyringFile.Key, _ purpose: Purpose, _ find: (String) -> WrappingKey?) throws(KeyringError) -> SecretBytes {
            try MessageWrap.open(key.wrapped.span.bytes, cluster: file.clusterID, purpose: purpose, find: find) { $0.append(key.reference) }
        }
        var domainKeys: [UInt32: DomainKey] = [:]
        for key in file.keys {
            guard key.reference.hasPrefix("domain/"), let term = UInt32(key.reference.dropFirst("domain/".count)) else { continue }
            let bytes = try open(key, .domainKey) { $0 == rootKey.reference ? rootKey : nil }
            let wrapping = WrappingKey(reference: key.reference, key: bytes)
            domainKeys[term] = DomainKey(wrapping: wrapping, recordSalt: HMACKey(wrapping.messageKey(.recordSalt, salt: RawSpan())))
        }
        let domainKeysByReference = Dictionary(uniqueKeysWithValues: domainKeys.values.map { ($0.wrapping.reference, $0.wrapping) })
        var keyEncryptionKeys: [String: WrappingKey] = [:]
        var fingerprintKey: HMACKey?
        for key in file.keys where !key.reference.hasPrefix("domain/") {
            let bytes = try open(key, .keyEncryptionKey) { domainKeysByReference[$0] }
            if key.reference == KeyReference.fingerprint { fingerprintKey = HMACKey(bytes) }
            keyEncryptionKeys[key.reference] = WrappingKey(reference: key.reference, key: bytes)
        }
        guard let currentTerm = domainKeys.keys.max(), let fingerprintKey else { throw .file("the keyring lacks a domain key or the fingerprint key") }
        for reference in KeyReference.all where keyEncryptionKeys[reference] == nil { throw .unknownKey(reference: reference) }
        clusterID = file.clusterID
        self.file = file
        self.root = root
        self.currentTerm = currentTerm
        self.domainKeys = domainKeys
        self.domainKeysByReference = domainKeysByReference
        self.keyEncryptionKeys = keyEncryptionKeys
        self.fingerprintKey = fingerprintKey
    }

    // MARK: Look-up

    func domainKey(term: UInt32) throws(KeyringError) -> DomainKey {
        guard let key = domainKeys[term] else { throw .unknownKey(reference: KeyReference.domain(term)) }
        return key
    }

    func wrappingKey(_ reference: String) -> WrappingKey? { keyEncryptionKeys[reference] }

    /// A key of ``KeyReference/all``: `init` refuses a keyring without them.
    func requiredKey(_ reference: String) -> WrappingKey {
        guard let key = keyEncryptionKeys[reference] else { preconditionFailure("init checked that every required key is there") }
        return key
    }

    func authenticateFingerprint(_ message: RawSpan) -> Digest { fingerprintKey.authenticate(message) }
}
