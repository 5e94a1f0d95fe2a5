internal import NIOCore
internal import OpenSSL
internal import SecretStore

/// Bytes that are no message of this protocol.
struct MalformedMessage: Error {}

/// Takes numbers and length-prefixed fields (4 bytes, big-endian) off the front of a message of anybody. Never traps.
struct FieldReader {
    private var buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(MalformedMessage) -> Number {
        guard let number = buffer.readInteger(as: type) else { throw MalformedMessage() }
        return number
    }

    /// A slice that shares the storage of the message.
    private mutating func slice(max: Int) throws(MalformedMessage) -> ByteBuffer {
        let count = try number(UInt32.self)
        guard count <= max, let slice = buffer.readSlice(length: Int(count)) else { throw MalformedMessage() }
        return slice
    }

    mutating func field(max: Int) throws(MalformedMessage) -> [UInt8] { Array(try slice(max: max).readableBytesView) }

    mutating func secret(max: Int) throws(MalformedMessage) -> SecretBytes {
        try slice(max: max).withUnsafeReadableBytes { SecretBytes(copying: $0) }
    }

    mutating func text(max: Int) throws(MalformedMessage) -> String {
        guard let text = String(validating: try slice(max: max).readableBytesView, as: UTF8.self) else { throw MalformedMessage() }
        return text
    }

    mutating func address() throws(MalformedMessage) -> NodeAddress {
        guard let address = NodeAddress(try text(max: NodeAddress.hostBytesMax + 8)) else { throw MalformedMessage() }
        return address
    }

    /// - Throws: When something is left.
    func finish() throws(MalformedMessage) {
        guard buffer.readableBytes == 0 else { throw MalformedMessage() }
    }
}

extension ByteBuffer {
    /// Length, then the bytes.
    mutating func writeField(_ bytes: [UInt8]) {
        writeInteger(UInt32(bytes.count))
        writeBytes(bytes)
    }

    /// Length in bytes of UTF-8, then the text.
    mutating func writeField(_ text: String) {
        writeInteger(UInt32(text.utf8.count))
        writeString(text)
    }

    /// Length, then the secret. The buffer must have room for it: one that grows leaves a copy behind.
    mutating func writeField(_ secret: SecretBytes) {
        precondition(writableBytes >= secret.count + MemoryLayout<UInt32>.size, "a buffer with a secret must not grow")
        writeInteger(UInt32(secret.count))
        secret.withUnsafeBytes { _ = writeBytes($0) }
    }
}
