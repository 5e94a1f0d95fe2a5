internal import Keyring
internal import NIOCore
internal import OpenSSL
package import Raft

/// Numbers the lives of one node, on disk: each start gets a number that no earlier start had.
package enum IncarnationCounter {
    private static let magic = "conclave-incarnation-1"

    /// The number of this life: 1 at the first start, one more at each later one. Durable before it is returned, so a life that used
    /// its number has it for itself. Call it once per process, with the data directory locked.
    ///
    /// - Throws: `KeyringError` with `file` and a sentence, also for a file that is not whole: to begin again at 1 would repeat numbers.
    package static func next(path: String) throws -> Incarnation {
        let number = PrivateFile.exists(path) ? try read(path) + 1 : 1
        var buffer = ByteBuffer()
        buffer.writeField(magic)
        buffer.writeInteger(number)
        buffer.writeBytes(SHA256.hash(Array(buffer.readableBytesView).span.bytes).bytes)
        let content = Array(buffer.readableBytesView)
        try PrivateFile.write(content.span.bytes, to: path)
        return Incarnation(number)
    }

    private static func read(_ path: String) throws -> UInt64 {
        let content = try PrivateFile.read(path).withUnsafeBytes { [UInt8]($0) }
        do throws(MalformedMessage) {
            guard content.count > Digest.byteCount else { throw MalformedMessage() }
            let checked = Array(content.dropLast(Digest.byteCount))
            guard SHA256.hash(checked.span.bytes).bytes.elementsEqual(content.suffix(Digest.byteCount)) else { throw MalformedMessage() }
            var reader = FieldReader(ByteBuffer(bytes: checked))
            guard try reader.text(max: magic.utf8.count) == magic else { throw MalformedMessage() }
            let number = try reader.number(UInt64.self)
            try reader.finish()
            guard number < .max else { throw MalformedMessage() }
            return number
        } catch {
            throw KeyringError.file("'\(path)' is damaged; the node's lives cannot be told apart without it: remove the node and join anew")
        }
    }
}
