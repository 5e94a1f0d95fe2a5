internal import OpenSSL

/// One group of entries that were written and made durable together:
///
///     length of the body (4) | index of the first entry (8) | number of entries (4) | checksum (16) | (length (4) | entry) ...
///
/// Frames start at multiples of ``alignment``, so that after a damaged frame a later one can still be found, whatever the damage
/// did to the length. All integers are big-endian. A length of zero is the end: segments are zero where nothing was written.
enum LogFrame {
    /// Distance between possible starts, in bytes: the sector that disks write in one piece.
    static let alignment = 512
    static let headerByteCount = 32
    private static let checksumOffset = 16
    private static let checksumByteCount = 16

    /// The frame of `entries`, filled up to the alignment with zeros.
    static func encode(_ entries: [[UInt8]], firstIndex: UInt64) -> [UInt8] {
        var frame = [UInt8](repeating: 0, count: headerByteCount)
        frame.reserveCapacity(headerByteCount + entries.reduce(0) { $0 + $1.count + 4 } + alignment)
        for entry in entries {
            append(UInt32(entry.count), to: &frame)
            frame += entry
        }
        store(UInt32(frame.count - headerByteCount), at: 0, in: &frame)
        store(firstIndex, at: 4, in: &frame)
        store(UInt32(entries.count), at: 12, in: &frame)
        let sum = checksum(of: frame[...])
        frame.replaceSubrange(checksumOffset..<headerByteCount, with: sum)
        frame.append(contentsOf: repeatElement(0, count: alignedCount(frame.count) - frame.count))
        return frame
    }

    struct Decoded: Equatable {
        var firstIndex: UInt64
        var entries: [[UInt8]]
        /// Length on disk, alignment included.
        var byteCount: Int
    }

    /// What starts at `offset` of a segment.
    enum Found: Equatable {
        case frame(Decoded)
        /// Nothing was ever written here.
        case end
        /// Bytes that are not a whole frame.
        case damaged
    }

    static func find(in segment: [UInt8], at offset: Int) -> Found {
        guard offset + headerByteCount <= segment.count else { return segment[offset...].allSatisfy { $0 == 0 } ? .end : .damaged }
        let bodyCount = Int(load(UInt32.self, at: offset, in: segment))
        let end = offset + headerByteCount + bodyCount
        guard bodyCount > 0, end <= segment.count else {
            return segment[offset..<(offset + headerByteCount)].allSatisfy { $0 == 0 } ? .end : .damaged
        }
        let stored = segment[(offset + checksumOffset)..<(offset + headerByteCount)]
        guard checksum(of: segment[offset..<end]).elementsEqual(stored) else { return .damaged }
        var entries: [[UInt8]] = []
        var position = offset + headerByteCount
        while position < end {
            guard position + 4 <= end else { return .damaged }
            let count = Int(load(UInt32.self, at: position, in: segment))
            guard position + 4 + count <= end else { return .damaged }
            entries.append(Array(segment[(position + 4)..<(position + 4 + count)]))
            position += 4 + count
        }
        guard entries.count == Int(load(UInt32.self, at: offset + 12, in: segment)) else { return .damaged }
        let firstIndex = load(UInt64.self, at: offset + 4, in: segment)
        return .frame(Decoded(firstIndex: firstIndex, entries: entries, byteCount: alignedCount(end - offset)))
    }

    /// Whether a whole frame of a later group stands anywhere behind `offset`: then what is damaged at `offset` was durable once.
    static func hasFrame(in segment: [UInt8], after offset: Int, indexAbove index: UInt64) -> Bool {
        var position = alignedCount(offset + 1)
        while position + headerByteCount <= segment.count {
            if case .frame(let frame) = find(in: segment, at: position), frame.firstIndex > index { return true }
            position += alignment
        }
        return false
    }

    static func alignedCount(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// First half of the SHA-256 of the frame, without the place of the checksum itself.
    private static func checksum(of frame: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var hasher = SHA256Hasher()
        let header = Array(frame.prefix(checksumOffset))
        hasher.update(header.span.bytes)
        frame.dropFirst(headerByteCount).withUnsafeBytes { body in
            let span = RawSpan(_unsafeBytes: body)
            hasher.update(span)
        }
        return hasher.finalize().bytes.prefix(checksumByteCount)
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int, in bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self) }
    }

    private static func load<Number: FixedWidthInteger>(_: Number.Type, at offset: Int, in bytes: [UInt8]) -> Number {
        bytes.withUnsafeBytes { Number(bigEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }
}
