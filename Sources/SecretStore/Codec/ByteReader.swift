import OpenSSL

/// Why bytes are not an encoding of what was expected. Every decoder refuses; none traps.
package enum DecodingFailure: Error, Equatable, Sendable {
    /// They end before the value does.
    case truncated
    /// Something follows the value.
    case trailingBytes
    /// A format version, tag or flag that this version does not know.
    case unknownValue
    /// A length, count or number beyond its limit, or a length that is not in its shortest form.
    case limitExceeded
    /// Text that is not UTF-8, or not a name, account or suffix.
    case malformedText
}

/// Reads what ``ByteWriter`` wrote, with every length checked against a limit before anything is allocated.
///
/// Valid only inside ``decode(_:_:)``: it points into the bytes given there.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Lets `body` read `bytes` and requires that it reads all of them.
    static func decode<Value>(
        _ bytes: RawSpan, _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(DecodingFailure) -> Value {
        try bytes.withUnsafeBytes { buffer throws(DecodingFailure) in
            var reader = ByteReader(buffer)
            let value = try body(&reader)
            guard reader.offset == buffer.count else { throw .trailingBytes }
            return value
        }
    }

    private mutating func take(_ count: Int) throws(DecodingFailure) -> UnsafeRawBufferPointer {
        guard count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws(DecodingFailure) -> Number {
        Number(bigEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
    }

    mutating func flag() throws(DecodingFailure) -> Bool {
        switch try number(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .unknownValue
        }
    }

    /// A length or a count of at most `max`, in its shortest form.
    mutating func count(max: Int) throws(DecodingFailure) -> Int {
        var value: UInt64 = 0
        // Five groups of seven bits are more than any limit here.
        for shift in stride(from: UInt64(0), to: 35, by: 7) {
            let byte = try number(UInt8.self)
            value |= UInt64(byte & 0x7F) << shift
            guard byte & 0x80 == 0 else { continue }
            guard value <= UInt64(max), byte != 0 || shift == 0 else { throw .limitExceeded }
            return Int(value)
        }
        throw .limitExceeded
    }

    mutating func field(max: Int) throws(DecodingFailure) -> [UInt8] {
        [UInt8](try take(try count(max: max)))
    }

    /// Bytes of a fixed number.
    mutating func bytes(_ count: Int) throws(DecodingFailure) -> [UInt8] { [UInt8](try take(count)) }

    /// What is left.
    mutating func rest(max: Int) throws(DecodingFailure) -> [UInt8] {
        guard bytes.count - offset <= max else { throw .limitExceeded }
        return [UInt8](try take(bytes.count - offset))
    }

    mutating func text(max: Int) throws(DecodingFailure) -> String {
        let utf8 = try take(try count(max: max))
        guard let text = String(validating: utf8, as: UTF8.self) else { throw .malformedText }
        return text
    }

    /// Reads a field and compares it, without copying it.
    mutating func fieldEquals(_ text: String, max: Int) throws(DecodingFailure) -> Bool {
        try take(try count(max: max)).elementsEqual(text.utf8)
    }

    mutating func skip(_ count: Int) throws(DecodingFailure) { _ = try take(count) }

    mutating func digest() throws(DecodingFailure) -> Digest { Digest(bytes32: RawSpan(_unsafeBytes: try take(Digest.byteCount))) }

    /// A value after its own length, which it must fill.
    mutating func sized<Value>(
        max: Int, _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(DecodingFailure) -> Value {
        let length = try count(max: max)
        let start = offset
        let value = try body(&self)
        guard offset - start == length else { throw .trailingBytes }
        return value
    }

    mutating func optional<Value>(
        _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(DecodingFailure) -> Value? {
        try flag() ? try body(&self) : nil
    }

    mutating func list<Value>(
        max: Int, _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(DecodingFailure) -> [Value] {
        let count = try count(max: max)
        var values: [Value] = []
        // Each element takes at least a byte, so a lying count reserves no more than the bytes could hold.
        values.reserveCapacity(min(count, bytes.count - offset))
        for _ in 0..<count { values.append(try body(&self)) }
        return values
    }

    // MARK: Domain values

    mutating func timestamp() throws(DecodingFailure) -> Timestamp {
        let milliseconds = try number(Int64.self)
        guard (0...Timestamp.latestMilliseconds).contains(milliseconds) else { throw .limitExceeded }
        return Timestamp(millisecondsSince1970: milliseconds)
    }

    mutating func day() throws(DecodingFailure) -> UTCDay { UTCDay(daysSince1970: try number(Int32.self)) }

    mutating func account() throws(DecodingFailure) -> AccountID {
        guard let account = AccountID(rawValue: try number(UInt64.self)) else { throw .malformedText }
        return account
    }

    mutating func name() throws(DecodingFailure) -> SecretName {
        guard let name = SecretName(try text(max: Limits.nameBytesMax)) else { throw .malformedText }
        return name
    }

    mutating func suffix() throws(DecodingFailure) -> ARNSuffix {
        guard let suffix = ARNSuffix(try text(max: ARNSuffix.characterCount)) else { throw .malformedText }
        return suffix
    }

    mutating func versionID() throws(DecodingFailure) -> VersionID { VersionID(try text(max: Limits.versionIDBytesMax)) }

    mutating func label() throws(DecodingFailure) -> StagingLabel { StagingLabel(try text(max: Limits.labelBytesMax)) }

    mutating func tagKey() throws(DecodingFailure) -> TagKey { TagKey(try text(max: Limits.tagKeyBytesMax)) }

    mutating func tag() throws(DecodingFailure) -> Tag {
        Tag(key: try tagKey(), value: try text(max: Limits.tagValueBytesMax))
    }

    mutating func reference() throws(DecodingFailure) -> SecretReference {
        SecretReference(name: try name(), suffix: try suffix())
    }
}
