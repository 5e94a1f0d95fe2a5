/// Something that can be written as the first bytes of a key: a whole key, or the prefix of a range of keys.
package protocol KeyEncodable {
    /// Appends the encoding to `key`. Must be a pure function of the value.
    func encode(into key: inout KeyEncoder)
}

/// The key of a ``Table``: an encoding whose byte order (as of `memcmp`, the shorter first) is the order of the keys.
///
/// The encoding of a key has 1 to ``KeyEncoder/byteCountMax`` bytes.
package protocol TableKey: KeyEncodable, Sendable {
    /// Reads a key back, taking its bytes from the decoder; nil when they are not an encoding of this type.
    init?(decoding key: inout KeyDecoder)
}

/// A key of which no encoding is the beginning of another one, so that another key may follow it in a ``CompositeKey``
/// without spoiling the order. Every encoding of fixed length is of this kind.
package protocol PrefixFreeKey: TableKey {}

/// Sorts as a number: eight bytes, most significant first.
extension UInt64: PrefixFreeKey {
    package func encode(into key: inout KeyEncoder) { key.append(bigEndian: self) }

    package init?(decoding key: inout KeyDecoder) {
        guard let number = key.takeInteger(of: UInt64.self) else { return nil }
        self = number
    }
}

/// Sorts as a number: four bytes, most significant first.
extension UInt32: PrefixFreeKey {
    package func encode(into key: inout KeyEncoder) { key.append(bigEndian: self) }

    package init?(decoding key: inout KeyDecoder) {
        guard let number = key.takeInteger(of: UInt32.self) else { return nil }
        self = number
    }
}

/// Byte keys: the bytes as they are. Not prefix-free, so in a ``CompositeKey`` only as the last part.
extension [UInt8]: KeyEncodable, TableKey {
    package func encode(into key: inout KeyEncoder) { key.append(span.bytes) }

    package init?(decoding key: inout KeyDecoder) { self = key.takeRest() }
}

/// Text keys: the UTF-8 bytes, compared as bytes (two spellings of one character are two keys).
extension String: KeyEncodable, TableKey {
    package func encode(into key: inout KeyEncoder) { key.append(utf8.span.bytes) }

    package init?(decoding key: inout KeyDecoder) {
        guard let text = String(validating: key.takeRest(), as: UTF8.self) else { return nil }
        self = text
    }
}

/// Bytes of any length in a form that is prefix-free: a zero byte is written as 00 FF, and 00 01 ends the key.
///
/// The order is that of the bytes. (The tuple encoding of FoundationDB works in the same way.)
package struct DelimitedBytes: PrefixFreeKey, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Follows a zero byte of the content: sorts above ``end``, so that a longer content sorts after its own beginning.
    private static let escapedZero: UInt8 = 0xFF
    /// Follows the zero byte that ends the content.
    private static let end: UInt8 = 0x01

    package func encode(into key: inout KeyEncoder) {
        for byte in bytes {
            key.append(byte: byte)
            if byte == 0 { key.append(byte: Self.escapedZero) }
        }
        key.append(byte: 0)
        key.append(byte: Self.end)
    }

    package init?(decoding key: inout KeyDecoder) {
        var bytes: [UInt8] = []
        while let byte = key.takeByte() {
            guard byte == 0 else {
                bytes.append(byte)
                continue
            }
            switch key.takeByte() {
            case Self.escapedZero: bytes.append(0)
            case Self.end:
                self.bytes = bytes
                return
            default: return nil
            }
        }
        return nil
    }
}

/// Two keys in one: sorted by `first`, then by `second`. More parts: nest it in `second`.
package struct CompositeKey<First: PrefixFreeKey, Second: TableKey>: TableKey {
    package var first: First
    package var second: Second

    package init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }

    @inlinable
    package func encode(into key: inout KeyEncoder) {
        first.encode(into: &key)
        second.encode(into: &key)
    }

    @inlinable
    package init?(decoding key: inout KeyDecoder) {
        guard let first = First(decoding: &key), let second = Second(decoding: &key) else { return nil }
        self.init(first, second)
    }
}

extension CompositeKey: PrefixFreeKey where Second: PrefixFreeKey {}
extension CompositeKey: Equatable where First: Equatable, Second: Equatable {}
extension CompositeKey: Hashable where First: Hashable, Second: Hashable {}
