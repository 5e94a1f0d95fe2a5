/// Writes bytes one piece after the other into memory whose size was computed before. Writing past the end traps.
struct ByteCursor {
    private let output: UnsafeMutableRawBufferPointer
    /// Number of bytes written.
    private(set) var count = 0

    init(_ output: UnsafeMutableRawBufferPointer) { self.output = output }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= output.count - count, "the size was computed for everything that is written")
        UnsafeMutableRawBufferPointer(rebasing: output[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        // Every native string lends its UTF-8; one bridged from elsewhere is copied first.
        if text.utf8.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil {
            Array(text.utf8).withUnsafeBytes { append($0) }
        }
    }

    mutating func append(_ byte: UInt8) {
        precondition(count < output.count, "the size was computed for everything that is written")
        output[count] = byte
        count += 1
    }

    /// Appends a number without sign in decimal.
    mutating func append(decimal number: Int) {
        precondition(number >= 0, "counts are not negative")
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(number / divisor % 10) + UInt8(ascii: "0"))
            divisor /= 10
        }
    }

    /// Appends `count` bytes that `body` writes.
    mutating func append(count added: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        precondition(added <= output.count - count, "the size was computed for everything that is written")
        body(UnsafeMutableRawBufferPointer(rebasing: output[count..<count + added]))
        count += added
    }
}
