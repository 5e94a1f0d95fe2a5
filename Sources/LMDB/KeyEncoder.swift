/// Collects the bytes of one key in a buffer on the stack.
///
/// A key that grows beyond ``byteCountMax`` is not cut: the table then throws ``LMDBError/Code/badValueSize``.
/// Made by the tables only; never leaves the call that receives it `inout`.
package struct KeyEncoder: ~Copyable {
    /// Longest key, in bytes: `MDB_MAXKEYSIZE` of an LMDB built with its defaults, as Debian's is.
    package static let byteCountMax = 511

    @usableFromInline let base: UnsafeMutableRawPointer
    /// The length that the key would have; above the maximum the surplus has been counted but not stored.
    package private(set) var byteCount = 0

    /// - Parameter base: Room for ``byteCountMax`` bytes that outlives this value.
    @usableFromInline
    init(base: UnsafeMutableRawPointer) { self.base = base }

    /// Appends bytes as they are.
    package mutating func append(_ bytes: RawSpan) {
        if byteCount + bytes.byteCount <= Self.byteCountMax {
            bytes.withUnsafeBytes { source in
                guard let start = source.baseAddress else { return }
                (base + byteCount).copyMemory(from: start, byteCount: source.count)
            }
        }
        byteCount += bytes.byteCount
    }

    /// Appends one byte.
    package mutating func append(byte: UInt8) {
        if byteCount < Self.byteCountMax { base.storeBytes(of: byte, toByteOffset: byteCount, as: UInt8.self) }
        byteCount += 1
    }

    /// Appends an unsigned integer, most significant byte first, so that keys sort as numbers do.
    package mutating func append<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        bigEndian number: Number
    ) {
        let width = MemoryLayout<Number>.size
        if byteCount + width <= Self.byteCountMax {
            (base + byteCount).storeBytes(of: number.bigEndian, as: Number.self)
        }
        byteCount += width
    }
}

/// Takes a key apart from its front. Every `take` returns nil when too few bytes are left, and then takes nothing.
package struct KeyDecoder: ~Escapable {
    /// The bytes that have not been taken.
    package private(set) var rest: RawSpan

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { rest = bytes }

    /// Whether every byte has been taken.
    package var isAtEnd: Bool { rest.byteCount == 0 }

    /// Takes one byte.
    package mutating func takeByte() -> UInt8? { takeInteger(of: UInt8.self) }

    /// Takes an unsigned integer that was appended most significant byte first.
    package mutating func takeInteger<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        of type: Number.Type
    ) -> Number? {
        let width = MemoryLayout<Number>.size
        guard rest.byteCount >= width else { return nil }
        let number = rest.withUnsafeBytes { Number(bigEndian: $0.loadUnaligned(as: Number.self)) }
        rest = rest.extracting(droppingFirst: width)
        return number
    }

    /// Takes `count` bytes.
    package mutating func takeBytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, rest.byteCount >= count else { return nil }
        let bytes = rest.extracting(first: count).withUnsafeBytes { [UInt8]($0) }
        rest = rest.extracting(droppingFirst: count)
        return bytes
    }

    /// Takes everything that is left.
    package mutating func takeRest() -> [UInt8] {
        let bytes = rest.withUnsafeBytes { [UInt8]($0) }
        rest = rest.extracting(first: 0)
        return bytes
    }
}
