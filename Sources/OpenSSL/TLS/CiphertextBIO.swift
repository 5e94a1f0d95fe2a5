internal import COpenSSL
internal import NIOCore

/// Ciphertext on its way between the network and libssl.
///
/// libssl reads straight from the buffer that the channel received and writes straight into the buffer that the channel
/// will send: a pair of memory BIOs would copy every byte once more in each direction.
struct Wire {
    /// Received, and not yet taken by libssl.
    var inbound = ByteBuffer()
    /// Made by libssl, and not yet sent.
    var outbound = ByteBuffer()
}

/// A BIO over a ``Wire``: an empty inbound buffer means "try again later", and every write succeeds.
enum CiphertextBIO {
    // Written once, here; libssl only reads a method table, from any thread.
    private nonisolated(unsafe) static let method: OpaquePointer = makeMethod()

    /// A BIO that reads and writes `wire`, which must stay in place until the BIO is freed.
    static func make(over wire: UnsafeMutablePointer<Wire>) -> OpaquePointer? {
        guard let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, wire)
        BIO_set_init(bio, 1)
        return bio
    }

    private static func makeMethod() -> OpaquePointer {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteBuffer") else {
            preconditionFailure("the system has no memory left")
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            shim_bio_clear_retry(bio)
            guard let wire = BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self), let bytes, count > 0 else { return 0 }
            let taken = wire.pointee.inbound.readWithUnsafeReadableBytes { source in
                let taken = min(source.count, Int(count))
                UnsafeMutableRawBufferPointer(start: bytes, count: taken).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<taken]))
                return taken
            }
            guard taken > 0 else {
                shim_bio_set_retry_read(bio)
                return -1
            }
            return CInt(taken)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            shim_bio_clear_retry(bio)
            guard let wire = BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self), let bytes, count > 0 else { return 0 }
            return CInt(wire.pointee.outbound.writeBytes(UnsafeRawBufferPointer(start: bytes, count: Int(count))))
        }
        // Flushing succeeds at once; every other question (end of file, kernel TLS) is answered with no.
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }
}
