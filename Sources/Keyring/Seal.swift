package import OpenSSL

/// What guards the root key at rest: a key file today; a credential, shares or an external KMS implement the same two calls.
///
/// Implementations may be called from any thread, at start only.
package protocol Seal: Sendable {
    /// Names the kind of seal in the seal record, for example `file`.
    static var kind: String { get }
    /// Encrypts the root key; `context` (cluster and root key id) is authenticated with it.
    func wrap(_ rootKey: SecretBytes, context: [UInt8]) throws(KeyringError) -> [UInt8]
    /// Decrypts what ``wrap(_:context:)`` made for the same context.
    ///
    /// - Throws: ``KeyringError/wrongSeal`` when this seal's key is another one.
    func unwrap(_ wrapped: [UInt8], context: [UInt8]) throws(KeyringError) -> SecretBytes
}

/// A seal whose key is 32 random bytes in a file of its own, which belongs on another disk than the data.
///
/// Guards against a thief of disk or backup without the key file; not against root on the host.
package struct FileSeal: Seal {
    package static let kind = "file"
    /// Length of the key, in bytes.
    static let keyByteCount = 32

    private let key: WrappingKey

    /// Reads the key file.
    ///
    /// - Throws: ``KeyringError/file(_:)`` if it is missing, a link, readable by others or not 32 bytes long.
    package init(keyFile path: String) throws(KeyringError) {
        let bytes = try PrivateFile.read(path)
        guard bytes.count == Self.keyByteCount else { throw .file("'\(path)' is not a seal key: it must hold exactly 32 bytes") }
        self.init(key: bytes)
    }

    init(key: SecretBytes) {
        self.key = WrappingKey(reference: "seal/file", key: key)
    }

    /// Makes a new key file of mode 0600.
    package static func createKeyFile(at path: String) throws(KeyringError) {
        try PrivateFile.write(SecretBytes.random(count: keyByteCount).bytes, to: path)
    }

    package func wrap(_ rootKey: SecretBytes, context: [UInt8]) throws(KeyringError) -> [UInt8] {
        MessageWrap.seal(rootKey.bytes, under: key, cluster: "", purpose: .rootKey) { $0.append(context.span.bytes) }
    }

    package func unwrap(_ wrapped: [UInt8], context: [UInt8]) throws(KeyringError) -> SecretBytes {
        do throws(KeyringError) {
            return try MessageWrap.open(wrapped.span.bytes, cluster: "", purpose: .rootKey, find: { $0 == key.reference ? key : nil }) {
                $0.append(context.span.bytes)
            }
        } catch {
            throw .wrongSeal
        }
    }
}
