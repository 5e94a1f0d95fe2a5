internal import COpenSSL

/// What a cryptographic operation can refuse.
package enum CryptoError: Error, Equatable, CustomStringConvertible {
    /// The tag does not match: another key, nonce or associated data, or altered bytes. Which of them is not known.
    case authenticationFailed

    package var description: String { "the ciphertext does not belong here or was altered" }
}

/// AES-256-GCM (SP 800-38D) with a 96-bit nonce and a 128-bit tag after the ciphertext. Safe from any thread.
///
/// Callers never choose a nonce twice for one key: see `Keyring`, which derives a key per message.
package enum AESGCM {
    /// Length of a key, in bytes.
    package static let keyByteCount = 32
    /// Length of a nonce, in bytes.
    package static let nonceByteCount = 12
    /// Length of a tag, in bytes.
    package static let tagByteCount = 16

    /// Appends ciphertext and tag of `plaintext` to `output`.
    package static func seal(
        _ plaintext: RawSpan, key: SecretBytes, nonce: RawSpan, aad: RawSpan, appendingTo output: inout [UInt8]
    ) {
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: plaintext.byteCount + tagByteCount))
        output.withUnsafeMutableBytes { output in
            let context = CipherContext(key: key, nonce: nonce, encrypts: true)
            context.authenticate(aad)
            context.transform(plaintext, into: UnsafeMutableRawBufferPointer(rebasing: output[start...]))
            context.readTag(into: UnsafeMutableRawBufferPointer(rebasing: output[(start + plaintext.byteCount)...]))
        }
    }

    /// Decrypts ciphertext and tag.
    ///
    /// - Throws: ``CryptoError/authenticationFailed``; no plaintext is given out then.
    package static func open(_ sealed: RawSpan, key: SecretBytes, nonce: RawSpan, aad: RawSpan) throws(CryptoError) -> SecretBytes {
        guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
        var isAuthentic = false
        let plaintext = SecretBytes(count: sealed.byteCount - tagByteCount) {
            isAuthentic = open(sealed, key: key, nonce: nonce, aad: aad, into: $0)
        }
        guard isAuthentic else { throw .authenticationFailed }
        return plaintext
    }

    /// Decrypts ciphertext and tag into `destination`, which has room for the plaintext, and returns the plaintext's length.
    ///
    /// - Throws: ``CryptoError/authenticationFailed``; `destination` is wiped then.
    package static func open(
        _ sealed: RawSpan, key: SecretBytes, nonce: RawSpan, aad: RawSpan, into destination: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
        let isAuthentic: Bool = open(sealed, key: key, nonce: nonce, aad: aad, into: destination)
        guard isAuthentic else {
            wipe(destination)
            throw .authenticationFailed
        }
        return sealed.byteCount - tagByteCount
    }

    private static func open(
        _ sealed: RawSpan, key: SecretBytes, nonce: RawSpan, aad: RawSpan, into destination: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let count = sealed.byteCount - tagByteCount
        precondition(destination.count >= count, "the destination holds the whole plaintext")
        let context = CipherContext(key: key, nonce: nonce, encrypts: false)
        context.authenticate(aad)
        context.transform(sealed.extracting(0..<count), into: destination)
        return context.verify(tag: sealed.extracting(count..<sealed.byteCount))
    }
}

/// One AES-256-GCM operation.
private struct CipherContext: ~Copyable {
    private let context: OpaquePointer

    init(key: SecretBytes, nonce: RawSpan, encrypts: Bool) {
        precondition(key.count == AESGCM.keyByteCount && nonce.byteCount == AESGCM.nonceByteCount, "256-bit keys and 96-bit nonces only")
        guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("the system has no memory left") }
        self.context = context
        let status = key.bytes.withPointer { key, _ in
            nonce.withPointer { nonce, _ in EVP_CipherInit_ex2(context, Algorithms.aes256GCM, key, nonce, encrypts ? 1 : 0, nil) }
        }
        precondition(status == 1, "AES-256-GCM starts with any key and nonce")
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    borrowing func authenticate(_ aad: RawSpan) {
        guard aad.byteCount > 0 else { return }
        var written: CInt = 0
        let status = aad.withPointer { EVP_CipherUpdate(context, nil, &written, $0, CInt($1)) }
        precondition(status == 1, "associated data in memory is always taken")
    }

    borrowing func transform(_ input: RawSpan, into output: UnsafeMutableRawBufferPointer) {
        guard input.byteCount > 0 else { return }
        var written: CInt = 0
        let status = input.withPointer { EVP_CipherUpdate(context, output.baseAddress?.bytes, &written, $0, CInt($1)) }
        precondition(status == 1 && Int(written) == input.byteCount, "GCM turns every byte into one byte")
    }

    borrowing func readTag(into tag: UnsafeMutableRawBufferPointer) {
        var written: CInt = 0
        var none: UInt8 = 0
        let ended = EVP_CipherFinal_ex(context, &none, &written)
        precondition(ended == 1 && shim_gcm_get_tag(context, CInt(AESGCM.tagByteCount), tag.baseAddress) == 1, "an encryption has a tag")
    }

    borrowing func verify(tag: RawSpan) -> Bool {
        var written: CInt = 0
        var none: UInt8 = 0
        let isSet = tag.withPointer { shim_gcm_set_tag(context, CInt($1), $0) }
        precondition(isSet == 1, "a 16-byte tag is always taken")
        let isAuthentic = EVP_CipherFinal_ex(context, &none, &written) == 1
        if !isAuthentic { ERR_clear_error() }
        return isAuthentic
    }
}
