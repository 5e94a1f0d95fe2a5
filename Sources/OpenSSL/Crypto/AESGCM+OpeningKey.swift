internal import COpenSSL
internal import Synchronization

extension AESGCM {
    /// A key for AES-256-GCM that opens many messages: the key schedule is made once and not for each of them.
    ///
    /// Sendable: the context is used under the lock only. OpenSSL cleanses it when the last reference is released.
    package final class OpeningKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
        private let context: OpaquePointer
        private let lock = Mutex(())

        package init(_ key: SecretBytes) {
            precondition(key.count == AESGCM.keyByteCount, "256-bit keys only")
            guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("the system has no memory left") }
            let status = key.bytes.withPointer { key, _ in EVP_CipherInit_ex2(context, Algorithms.aes256GCM, key, nil, 0, nil) }
            precondition(status == 1, "AES-256-GCM starts with any key")
            self.context = context
        }

        deinit { EVP_CIPHER_CTX_free(context) }

        /// Decrypts ciphertext and tag into `destination`, which has room for the plaintext, and returns the plaintext's length.
        /// Safe from any thread.
        ///
        /// - Throws: ``CryptoError/authenticationFailed``; `destination` is wiped then.
        package func open(
            _ sealed: RawSpan, nonce: RawSpan, aad: RawSpan, into destination: UnsafeMutableRawBufferPointer
        ) throws(CryptoError) -> Int {
            guard sealed.byteCount >= AESGCM.tagByteCount else { throw .authenticationFailed }
            precondition(nonce.byteCount == AESGCM.nonceByteCount, "96-bit nonces only")
            let count = sealed.byteCount - AESGCM.tagByteCount
            precondition(destination.count >= count, "the destination holds the whole plaintext")
            let isAuthentic = lock.withLock { _ in
                sealed.withUnsafeBytes { sealed in
                    nonce.withUnsafeBytes { nonce in
                        aad.withUnsafeBytes { aad in
                            shim_gcm_open(
                                context, nonce.baseAddress, aad.baseAddress, CInt(aad.count), sealed.baseAddress, CInt(count),
                                destination.baseAddress, CInt(AESGCM.tagByteCount)) == 1
                        }
                    }
                }
            }
            guard isAuthentic else {
                wipe(destination)
                throw .authenticationFailed
            }
            return count
        }

        /// Always `<redacted>`.
        package var description: String { "<redacted>" }
        /// Shows nothing.
        package var customMirror: Mirror { Mirror(self, children: [:]) }
    }
}
