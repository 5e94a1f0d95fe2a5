internal import OpenSSL

/// A long-lived key above the data keys: it never encrypts a message itself.
///
/// Each message gets a key of its own, derived with a 128-bit salt, so that no limit on random nonces is ever reached
/// (SP 800-38D allows 2^32 messages under one key with random nonces).
struct WrappingKey: Sendable {
    /// Names the key inside the ciphertexts that it makes, for example `domain/1`.
    let reference: String
    private let derivation: HMACKey

    init(reference: String, key: SecretBytes) {
        self.reference = reference
        derivation = HMACKey(key)
    }

    /// The key for one message.
    func messageKey(_ purpose: Purpose, salt: RawSpan) -> SecretBytes {
        let label = Array("conclave/v1/".utf8) + purpose.rawValue.utf8
        return KBKDF.derive(key: derivation, label: label.span.bytes, context: salt)
    }
}

/// The one construction for everything encrypted under a ``WrappingKey``:
///
///     version 1 | algorithm 1 | length of reference | reference | salt (16) | nonce (12) | ciphertext | tag (16)
enum MessageWrap {
    private static let version: UInt8 = 1
    /// AES-256-GCM under a key from KBKDF-CTR-HMAC-SHA256.
    private static let algorithm: UInt8 = 1
    static let saltByteCount = 16

    /// Encrypts `plaintext` with fresh salt and nonce. `fields` finishes the associated data with what the message belongs to.
    static func seal(
        _ plaintext: RawSpan, under key: WrappingKey, cluster: String, purpose: Purpose, fields: (inout AssociatedData) -> Void
    ) -> [UInt8] {
        let random = SecureRandom.bytes(saltByteCount + AESGCM.nonceByteCount)
        var aad = AssociatedData(cluster: cluster, purpose: purpose, keyReference: key.reference)
        fields(&aad)
        let reference = Array(key.reference.utf8)
        var blob: [UInt8] = [version, algorithm, UInt8(reference.count)]
        blob.reserveCapacity(3 + reference.count + random.count + plaintext.byteCount + AESGCM.tagByteCount)
        blob += reference
        blob += random
        let salt = random.span.bytes.extracting(0..<saltByteCount)
        let nonce = random.span.bytes.extracting(saltByteCount..<random.count)
        AESGCM.seal(plaintext, key: key.messageKey(purpose, salt: salt), nonce: nonce, aad: aad.bytes.span.bytes, appendingTo: &blob)
        return blob
    }

    /// Decrypts a blob of ``seal(_:under:cluster:purpose:fields:)``; `find` gives the key that the blob names.
    ///
    /// - Throws: ``KeyringError/notAuthentic``, whatever differs; ``KeyringError/unknownKey(reference:)``.
    static func open(
        _ blob: RawSpan, cluster: String, purpose: Purpose, find: (String) -> WrappingKey?, fields: (inout AssociatedData) -> Void
    ) throws(KeyringError) -> SecretBytes {
        let header: (reference: String, end: Int)? = blob.withUnsafeBytes { bytes in
            guard bytes.count > 3, bytes[0] == version, bytes[1] == algorithm else { return nil }
            let end = 3 + Int(bytes[2])
            guard bytes.count >= end + saltByteCount + AESGCM.nonceByteCount + AESGCM.tagByteCount else { return nil }
            return String(validating: bytes[3..<end], as: UTF8.self).map { ($0, end) }
        }
        guard let (reference, end) = header else { throw .notAuthentic }
        guard let key = find(reference) else { throw .unknownKey(reference: reference) }
        var aad = AssociatedData(cluster: cluster, purpose: purpose, keyReference: reference)
        fields(&aad)
        let salt = blob.extracting(end..<(end + saltByteCount))
        let nonceEnd = end + saltByteCount + AESGCM.nonceByteCount
        let nonce = blob.extracting((end + saltByteCount)..<nonceEnd)
        do throws(CryptoError) {
            return try AESGCM.open(
                blob.extracting(nonceEnd..<blob.byteCount), key: key.messageKey(purpose, salt: salt), nonce: nonce, aad: aad.bytes.span.bytes)
        } catch {
            throw .notAuthentic
        }
    }
}
