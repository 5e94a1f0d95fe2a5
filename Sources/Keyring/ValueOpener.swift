internal import OpenSSL

/// The unwrapped data key of one version, for whoever reads that version often. Holds no plaintext.
///
/// Safe from any thread. The key is zeroed when the last reference is released: keep it for a bounded time.
package struct ValueOpener: Sendable {
    private let key: AESGCM.OpeningKey
    private let associatedData: [UInt8]

    init(key: AESGCM.OpeningKey, associatedData: [UInt8]) {
        self.key = key
        self.associatedData = associatedData
    }

    /// How much room ``open(_:into:)`` needs for a ciphertext of that length, in bytes: the value and its padding.
    package static func byteCountMax(of ciphertext: RawSpan) -> Int {
        max(0, ciphertext.byteCount - AESGCM.nonceByteCount - AESGCM.tagByteCount)
    }

    /// Decrypts a value into `destination` and returns where in it the value lies. What lies around it is padding.
    ///
    /// - Throws: ``KeyringError/notAuthentic``; `destination` is wiped then.
    package func open(_ ciphertext: RawSpan, into destination: UnsafeMutableRawBufferPointer) throws(KeyringError) -> Range<Int> {
        guard ciphertext.byteCount >= AESGCM.nonceByteCount + AESGCM.tagByteCount else { throw .notAuthentic }
        do throws(CryptoError) {
            let count = try key.open(
                ciphertext.extracting(AESGCM.nonceByteCount..<ciphertext.byteCount),
                nonce: ciphertext.extracting(0..<AESGCM.nonceByteCount), aad: associatedData.span.bytes, into: destination)
            guard let value = Padding.range(in: UnsafeRawBufferPointer(rebasing: destination[..<count])) else {
                wipe(destination)
                throw CryptoError.authenticationFailed
            }
            return value
        } catch {
            throw .notAuthentic
        }
    }
}
