import OpenSSL

/// Builds an encoding: big-endian integers of fixed width, and lengths and counts as minimal LEB128, always before the content.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    /// A length or a count.
    mutating func write(count: Int) {
        var rest = UInt64(count)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Length, then the bytes.
    mutating func write(field: [UInt8]) {
        write(count: field.count)
        bytes.append(contentsOf: field)
    }

    /// The bytes alone: for the last member, which ends where the encoding does.
    mutating func write(raw field: [UInt8]) { bytes.append(contentsOf: field) }

    /// Length in bytes of UTF-8, then the text.
    mutating func write(_ text: String) {
        write(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ text: some ByteExactText) { write(text.rawValue) }

    mutating func write(_ digest: Digest) { digest.append(to: &bytes) }

    mutating func write(_ time: Timestamp) { write(time.millisecondsSince1970) }

    mutating func write(_ day: UTCDay) { write(day.daysSince1970) }

    mutating func write(_ account: AccountID) { write(account.rawValue) }

    /// A byte that says whether there is a value, then the value.
    mutating func write<Value>(optional value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        write(value != nil)
        if let value { body(&self, value) }
    }

    /// The number of values, then each.
    mutating func write<Value>(list values: [Value], _ body: (inout ByteWriter, Value) -> Void) {
        write(count: values.count)
        for value in values { body(&self, value) }
    }
}
