package import NIOCore

extension ByteBuffer {
    /// Zeroes the whole storage in place, also the parts before the reader and after the writer index.
    ///
    /// Works without copy-on-write: every other `ByteBuffer` that shares the storage loses its bytes too. The caller must be
    /// its last user.
    package func wipe() {
        withVeryUnsafeBytes { OpenSSL.wipe(UnsafeMutableRawBufferPointer(mutating: $0)) }
    }
}
