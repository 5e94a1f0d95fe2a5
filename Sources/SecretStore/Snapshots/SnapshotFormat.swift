import Glibc
import Keyring
import OpenSSL

/// The layout of an image behind its header: frames, each `length (4) | last flag (1) | ciphertext | tag`.
///
/// The first frame holds the caller's attachment, the last one the ``SnapshotTrailer``, those between them the rows: tables in the
/// order of ``StateTables/all``, rows in key order, a frame cut behind the row that fills it. So the plaintext depends on the
/// state alone.
enum SnapshotFormat {
    static let saltByteCount = Keyring.snapshotSaltByteCount
    /// Length and flag, in bytes.
    static let framePrefixByteCount = 4 + 1
    /// A frame ends with the row that brings it to this length, in bytes.
    static let frameByteCount = 1 << 20
    /// Longest row, in bytes: four times the longest value that can be stored.
    static let rowByteCountMax = 1 << 20
    /// Longest plaintext of a frame, in bytes.
    static let frameByteCountMax = frameByteCount + rowByteCountMax

    static func framePrefix(sealedByteCount: Int, isLast: Bool) -> [UInt8] {
        withUnsafeBytes(of: UInt32(sealedByteCount).bigEndian) { [UInt8]($0) } + [isLast ? 1 : 0]
    }

    /// Length of the sealed frame and whether it is the last; nil for bytes that are no such prefix.
    static func decode(framePrefix bytes: [UInt8]) -> (sealedByteCount: Int, isLast: Bool)? {
        let count = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard count <= frameByteCountMax + SnapshotOpener.overheadByteCount, bytes[4] <= 1 else { return nil }
        return (count, bytes[4] == 1)
    }
}

/// A row in a frame: `table (1) | length of the key (2) | length of the value (4) | key | value`.
enum SnapshotRow {
    static let prefixByteCount = 1 + 2 + 4

    /// - Precondition: The whole row is not longer than ``SnapshotFormat/rowByteCountMax``.
    static func append(table: Int, key: RawSpan, value: RawSpan, to frame: inout [UInt8]) {
        frame.append(UInt8(table))
        withUnsafeBytes(of: UInt16(key.byteCount).bigEndian) { frame.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(value.byteCount).bigEndian) { frame.append(contentsOf: $0) }
        key.withUnsafeBytes { frame.append(contentsOf: $0) }
        value.withUnsafeBytes { frame.append(contentsOf: $0) }
    }

    /// Calls `body` with each row of a frame.
    ///
    /// - Throws: ``SnapshotError/contradictory(_:)`` for bytes that are not whole rows; what `body` throws.
    static func forEach(in frame: RawSpan, _ body: (_ table: Int, _ key: RawSpan, _ value: RawSpan) throws -> Void) throws {
        var rest = frame
        while rest.byteCount > 0 {
            guard rest.byteCount >= prefixByteCount else { throw SnapshotError.contradictory("a frame ends within a row") }
            let (table, keyByteCount, valueByteCount) = rest.withUnsafeBytes { bytes in
                (
                    Int(bytes[0]), Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt16.self))),
                    Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 3, as: UInt32.self)))
                )
            }
            let end = prefixByteCount + keyByteCount + valueByteCount
            guard end <= rest.byteCount else { throw SnapshotError.contradictory("a frame ends within a row") }
            let valueStart = prefixByteCount + keyByteCount
            try body(table, rest.extracting(prefixByteCount..<valueStart), rest.extracting(valueStart..<end))
            rest = rest.extracting(end..<rest.byteCount)
        }
    }
}

/// What the last frame says of those before it: whoever has read the same has read everything.
struct SnapshotTrailer: Equatable {
    /// Rows of each table, in the order of ``StateTables/names``.
    var rowCounts = [UInt64](repeating: 0, count: StateTables.names.count)
    /// Length of all rows, in bytes.
    var rowByteCount: UInt64 = 0
    var stateHash: Digest

    init(stateHash: Digest) { self.stateHash = stateHash }

    mutating func count(table: Int, key: RawSpan, value: RawSpan) {
        rowCounts[table] += 1
        rowByteCount += UInt64(SnapshotRow.prefixByteCount + key.byteCount + value.byteCount)
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 192)
        writer.write(list: rowCounts) { $0.write($1) }
        writer.write(rowByteCount)
        writer.write(stateHash)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            let counts = try reader.list(max: StateTables.names.count) { reader throws(DecodingFailure) in try reader.number(UInt64.self) }
            let rowByteCount = try reader.number(UInt64.self)
            var trailer = SnapshotTrailer(stateHash: try reader.digest())
            trailer.rowCounts = counts
            trailer.rowByteCount = rowByteCount
            return trailer
        }
    }
}
