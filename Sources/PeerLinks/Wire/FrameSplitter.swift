import NIOCore

/// Cuts a stream of bytes into frames. Holds at most one frame and one read of the transport.
struct FrameSplitter {
    /// Longest frame, as its length field counts; a longer one is an error before any room is made for it.
    var frameBytesMax: Int
    private var held = ByteBuffer()

    init(frameBytesMax: Int) { self.frameBytesMax = frameBytesMax }

    /// Takes in what the transport read. The buffer must be nobody else's.
    mutating func append(_ bytes: ByteBuffer) {
        guard held.readableBytes > 0 else {
            held = bytes
            return
        }
        held.discardReadBytes()
        held.writeImmutableBuffer(bytes)
    }

    /// Kind and body of the next whole frame; `nil` until more is there.
    mutating func next() throws(WireError) -> ByteBuffer? {
        guard let length = held.getInteger(at: held.readerIndex, as: UInt32.self) else { return nil }
        let byteCount = Int(length)
        guard byteCount > 0 else { throw .emptyFrame }
        guard byteCount <= frameBytesMax else { throw .frameTooLong(byteCount: byteCount) }
        let missing = WireFormat.lengthBytes + byteCount - held.readableBytes
        guard missing <= 0 else {
            // Grow once for a long frame, not once for each read.
            held.reserveCapacity(minimumWritableBytes: missing)
            return nil
        }
        held.moveReaderIndex(forwardBy: WireFormat.lengthBytes)
        let frame = held.readSlice(length: byteCount)
        // Nothing is left: let the storage go with the frame.
        if held.readableBytes == 0 { held = ByteBuffer() }
        return frame
    }
}
