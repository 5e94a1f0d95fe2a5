internal import OpenSSL

/// What a ciphertext or a derived key is for. Part of every associated data and of every derivation label.
enum Purpose: String, Sendable {
    case keyCheck = "key-check"
    case rootKey = "root-key"
    case domainKey = "domain-key"
    case keyEncryptionKey = "key-encryption-key"
    case dataKey = "data-key"
    case value = "secret-value"
    case record = "record"
    case recordSalt = "record-salt"
    case logEntry = "log-entry"
    case snapshot = "snapshot"
    case credential = "credential"
    case fingerprint = "fingerprint"
}

/// Bytes that are authenticated with a ciphertext but not stored in it: they say where it belongs.
///
/// Every field is preceded by its length (4 bytes, big-endian), so that no two lists of fields give the same bytes.
struct AssociatedData {
    private static let prefix: StaticString = "conclave-aad-v1"

    private(set) var bytes: [UInt8] = []

    init(cluster: String, purpose: Purpose, keyReference: String) {
        bytes.reserveCapacity(256)
        Self.prefix.withUTF8Buffer { bytes.append(contentsOf: $0) }
        append(cluster)
        append(purpose.rawValue)
        append(keyReference)
    }

    mutating func append(_ text: String) { bytes.appendField(text) }
    mutating func append(_ field: RawSpan) { bytes.appendField(field) }
    mutating func append(_ number: UInt64) {
        bytes.appendBigEndian(UInt32(MemoryLayout<UInt64>.size))
        bytes.appendBigEndian(number)
    }
}

extension [UInt8] {
    /// Appends `number`, most significant byte first.
    mutating func appendBigEndian<Number: FixedWidthInteger>(_ number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// Appends the length of `field` and then the field.
    mutating func appendField(_ field: RawSpan) {
        appendBigEndian(UInt32(field.byteCount))
        field.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Appends the length in UTF-8 bytes of `text` and then its bytes.
    mutating func appendField(_ text: String) {
        appendBigEndian(UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

/// Takes numbers and length-prefixed fields off the front of bytes that may be anything.
struct FieldReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
        take(MemoryLayout<Number>.size).map { $0.reduce(0) { $0 << 8 | Number($1) } }
    }

    mutating func field() -> [UInt8]? {
        guard let count = number(UInt32.self) else { return nil }
        return take(Int(count)).map { Array($0) }
    }

    mutating func text() -> String? {
        field().flatMap { String(validating: $0, as: UTF8.self) }
    }
}
