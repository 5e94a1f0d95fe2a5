package import OpenSSL

/// Whether a secret value is text or bytes: `SecretString` or `SecretBinary`.
package enum ValueKind: UInt8, Hashable, Sendable {
    case string = 1
    case binary = 2
}

/// What a secret value belongs to. All of it is authenticated with the ciphertext.
package struct ValueContext: Hashable, Sendable {
    /// Full ARN of the secret, suffix included.
    package var arn: String
    package var versionID: String
    package var kind: ValueKind
    /// Creation time of the version, in milliseconds since 1970.
    package var createdAtMilliseconds: Int64

    package init(arn: String, versionID: String, kind: ValueKind, createdAtMilliseconds: Int64) {
        self.arn = arn
        self.versionID = versionID
        self.kind = kind
        self.createdAtMilliseconds = createdAtMilliseconds
    }
}

/// A secret value as it is replicated and stored.
package struct EncryptedValue: Hashable, Sendable {
    /// Key id and version of the key-encryption key, for example `aws/secretsmanager/1`.
    package var keyReference: String
    /// The data key, wrapped under the key-encryption key.
    package var wrappedDataKey: [UInt8]
    /// The value under its data key.
    package var ciphertext: [UInt8]

    package init(keyReference: String, wrappedDataKey: [UInt8], ciphertext: [UInt8]) {
        self.keyReference = keyReference
        self.wrappedDataKey = wrappedDataKey
        self.ciphertext = ciphertext
    }
}

/// Secret values under a data key of their own.
extension Keyring {
    /// Encrypts a value under a fresh data key and wraps the data key. Two calls with the same value give unrelated bytes.
    ///
    /// The plaintext is padded to a size class first, so that the size of what is stored tells little about the value's length.
    package func encrypt(_ value: SecretBytes, for context: ValueContext) -> EncryptedValue {
        let key = requiredKey(KeyReference.secretsManager)
        let dataKey = SecretBytes.random(count: AESGCM.keyByteCount)
        let padded = Padding.pad(value)
        var ciphertext = SecureRandom.bytes(AESGCM.nonceByteCount)
        ciphertext.reserveCapacity(AESGCM.nonceByteCount + padded.count + AESGCM.tagByteCount)
        let nonce = ciphertext
        AESGCM.seal(padded.bytes, key: dataKey, nonce: nonce.span.bytes, aad: valueAssociatedData(context).span.bytes, appendingTo: &ciphertext)
        let wrapped = MessageWrap.seal(dataKey.bytes, under: key, cluster: clusterID, purpose: .dataKey) { Self.bind(&$0, to: context) }
        return EncryptedValue(keyReference: key.reference, wrappedDataKey: wrapped, ciphertext: ciphertext)
    }

    /// Decrypts a value that belongs to `context`.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` when it was encrypted for another secret, version, kind, time, account or cluster, or
    ///   was altered; ``KeyringError/unknownKey(reference:)``.
    package func decrypt(wrappedDataKey: RawSpan, ciphertext: RawSpan, for context: ValueContext) throws(KeyringError) -> SecretBytes {
        let dataKey = try MessageWrap.open(wrappedDataKey, cluster: clusterID, purpose: .dataKey, find: wrappingKey) { Self.bind(&$0, to: context) }
        guard dataKey.count == AESGCM.keyByteCount, ciphertext.byteCount >= AESGCM.nonceByteCount + AESGCM.tagByteCount else {
            throw .notAuthentic
        }
        let nonce = ciphertext.extracting(0..<AESGCM.nonceByteCount)
        let sealed = ciphertext.extracting(AESGCM.nonceByteCount..<ciphertext.byteCount)
        do throws(CryptoError) {
            let padded = try AESGCM.open(sealed, key: dataKey, nonce: nonce, aad: valueAssociatedData(context).span.bytes)
            guard let value = Padding.unpad(padded) else { throw CryptoError.authenticationFailed }
            return value
        } catch {
            throw .notAuthentic
        }
    }

    /// Decrypts a value that belongs to `context`; see ``decrypt(wrappedDataKey:ciphertext:for:)``.
    package func decrypt(_ value: EncryptedValue, for context: ValueContext) throws(KeyringError) -> SecretBytes {
        try decrypt(wrappedDataKey: value.wrappedDataKey.span.bytes, ciphertext: value.ciphertext.span.bytes, for: context)
    }

    /// Unwraps the data key of a value that belongs to `context`, to open the value again and again without doing so each time.
    ///
    /// - Throws: As ``decrypt(wrappedDataKey:ciphertext:for:)``.
    package func opener(wrappedDataKey: RawSpan, for context: ValueContext) throws(KeyringError) -> ValueOpener {
        let dataKey = try MessageWrap.open(wrappedDataKey, cluster: clusterID, purpose: .dataKey, find: wrappingKey) { Self.bind(&$0, to: context) }
        guard dataKey.count == AESGCM.keyByteCount else { throw .notAuthentic }
        return ValueOpener(key: AESGCM.OpeningKey(dataKey), associatedData: valueAssociatedData(context))
    }

    /// A keyed hash of a value and of the version that it is for, so that `apply` can tell "same token, same value" from
    /// "same token, other value" without decrypting (AWS decrypts the stored version for this).
    ///
    /// The name stands in for the ARN: a repeated `CreateSecret` compares equal although its ARN suffix was chosen anew.
    package func fingerprint(_ value: SecretBytes, account: String, name: String, versionID: String, kind: ValueKind) -> Digest {
        var prefix = AssociatedData(cluster: clusterID, purpose: .fingerprint, keyReference: KeyReference.fingerprint)
        prefix.append(account)
        prefix.append(name)
        prefix.append(versionID)
        prefix.append(UInt64(kind.rawValue))
        let message = SecretBytes(count: prefix.bytes.count + value.count) { destination in
            prefix.bytes.withUnsafeBytes { destination.copyMemory(from: $0) }
            value.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: destination[prefix.bytes.count...]).copyMemory(from: $0) }
        }
        return authenticateFingerprint(message.bytes)
    }

    /// The encryption context of AWS Secrets Manager: `SecretARN` and `SecretVersionId`, sorted by key.
    private static func bind(_ aad: inout AssociatedData, to context: ValueContext) {
        aad.append("SecretARN")
        aad.append(context.arn)
        aad.append("SecretVersionId")
        aad.append(context.versionID)
    }

    private func valueAssociatedData(_ context: ValueContext) -> [UInt8] {
        var aad = AssociatedData(cluster: clusterID, purpose: .value, keyReference: "")
        aad.append(context.arn)
        aad.append(context.versionID)
        aad.append(UInt64(context.kind.rawValue))
        aad.append(UInt64(bitPattern: context.createdAtMilliseconds))
        return aad.bytes
    }

    // MARK: Credentials

    /// Encrypts the secret half of an access key. It must be recoverable: SigV4 is an HMAC scheme.
    package func wrapCredential(_ secret: SecretBytes, accessKeyID: String, account: String) -> [UInt8] {
        MessageWrap.seal(secret.bytes, under: requiredKey(KeyReference.credentials), cluster: clusterID, purpose: .credential) {
            $0.append(account)
            $0.append(accessKeyID)
        }
    }

    /// Decrypts the secret half of an access key.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` when it belongs to another key id or account; ``KeyringError/unknownKey(reference:)``.
    package func unwrapCredential(_ wrapped: RawSpan, accessKeyID: String, account: String) throws(KeyringError) -> SecretBytes {
        return try MessageWrap.open(wrapped, cluster: clusterID, purpose: .credential, find: wrappingKey) {
            $0.append(account)
            $0.append(accessKeyID)
        }
    }
}

/// Size classes that hide a value's length: `length (4) | value | zeros`, filled up to a power of two from 32 bytes to 1 KiB, then
/// to a multiple of 1 KiB.
enum Padding {
    private static let lengthByteCount = 4

    static func paddedCount(for count: Int) -> Int {
        let needed = count + lengthByteCount
        var size = 32
        while size < needed && size < 1024 { size *= 2 }
        return needed <= size ? size : (needed + 1023) / 1024 * 1024
    }

    static func pad(_ value: SecretBytes) -> SecretBytes {
        SecretBytes(count: paddedCount(for: value.count)) { destination in
            destination.storeBytes(of: UInt32(value.count).bigEndian, as: UInt32.self)
            value.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: destination[lengthByteCount...]).copyMemory(from: $0) }
        }
    }

    /// `nil` if the length inside does not fit: only bytes that ``pad(_:)`` did not make.
    static func unpad(_ padded: SecretBytes) -> SecretBytes? {
        padded.withUnsafeBytes { bytes in range(in: bytes).map { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[$0])) } }
    }

    /// Where the value lies in padded bytes; `nil` as for ``unpad(_:)``.
    static func range(in padded: UnsafeRawBufferPointer) -> Range<Int>? {
        guard padded.count >= lengthByteCount else { return nil }
        let count = Int(UInt32(bigEndian: padded.loadUnaligned(as: UInt32.self)))
        guard count <= padded.count - lengthByteCount else { return nil }
        return lengthByteCount..<(lengthByteCount + count)
    }
}
