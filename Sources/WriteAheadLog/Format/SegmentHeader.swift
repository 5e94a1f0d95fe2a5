import Raft

/// What a segment begins with: two status slots, then everything that the log must know when this segment is its oldest, so that those
/// before it can be dropped. Written once, before the segment has a name, but for the slots.
struct SegmentHeader: Equatable {
    /// Where the records begin.
    static let byteCount = 8_192
    private static let start = 2 * StatusSlot.spacing
    private static let magic: UInt64 = 0x4C41_5743_4E4F_4331 // "1CONCWAL"
    private static let formatVersion: UInt32 = 1

    var identity: LogIdentity
    /// Grows with each segment. That of a segment that was given up may come again, with another nonce.
    var sequence: UInt64
    /// Differs from that of any segment that used the same file before.
    var nonce: UInt64
    /// The segment before, and where its records end for this one. What lies behind was given up. 0 for the first segment.
    var previousSequence: UInt64
    var previousEnd: Int
    var state: LogState

    /// Where the chain of records starts.
    var chain: UInt32 { UInt32(truncatingIfNeeded: nonce ^ nonce >> 32) }

    /// `<sequence>-<index of the first entry that may stand here>.wal`, in hexadecimal.
    var name: String { Self.hex(sequence) + "-" + Self.hex(state.lastID.index.raw + 1) + Self.suffix }

    static let suffix = ".wal"

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The sequence in a segment's name; nil for other files.
    static func sequence(inName name: String) -> UInt64? {
        guard name.hasSuffix(suffix), name.utf8.count == 33 + suffix.utf8.count else { return nil }
        return UInt64(name.prefix(16), radix: 16)
    }

    /// The whole block, with empty slots.
    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.start)
        bytes.reserveCapacity(Self.byteCount)
        bytes.put(Self.magic)
        bytes.put(Self.formatVersion)
        let lengthOffset = bytes.count
        bytes.put(UInt32(0))
        for number in [identity.cluster, identity.node, sequence, nonce, previousSequence, UInt64(previousEnd)] { bytes.put(number) }
        state.append(to: &bytes)
        bytes.put(UInt32(bytes.count - Self.start), at: lengthOffset)
        bytes.put(bytes.withUnsafeBytes { CRC32C.of(UnsafeRawBufferPointer(rebasing: $0[Self.start...])) })
        precondition(bytes.count <= Self.byteCount, "a handful of memberships of a handful of nodes fits")
        bytes.append(contentsOf: repeatElement(0, count: Self.byteCount - bytes.count))
        return bytes
    }

    enum Reading: Equatable {
        case header(SegmentHeader)
        case unknownFormat(UInt32)
        case unreadable
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard bytes.count >= byteCount else { return .unreadable }
        let block = UnsafeRawBufferPointer(rebasing: bytes[start..<byteCount])
        var source = ByteSource(block)
        guard source.number(UInt64.self) == magic, let version = source.number(UInt32.self), let length = source.number(UInt32.self),
            Int(length) + 4 <= block.count
        else { return .unreadable }
        let checksum = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: Int(length), as: UInt32.self))
        guard CRC32C.of(UnsafeRawBufferPointer(rebasing: block[..<Int(length)])) == checksum else { return .unreadable }
        guard version == formatVersion else { return .unknownFormat(version) }
        guard let cluster = source.number(UInt64.self), let node = source.number(UInt64.self), let sequence = source.number(UInt64.self),
            let nonce = source.number(UInt64.self), let previousSequence = source.number(UInt64.self), let end = source.number(UInt64.self),
            let state = LogState(&source)
        else { return .unreadable }
        return .header(
            SegmentHeader(
                identity: LogIdentity(cluster: cluster, node: node), sequence: sequence, nonce: nonce, previousSequence: previousSequence,
                previousEnd: Int(end), state: state))
    }
}

/// What changes in place, in two copies that take turns: how far the segment is known to be on disk, and term and vote once more.
///
/// A slot is written behind a sync, when nothing else is to be done. So it never says too much: damage before its mark is damage and no
/// torn write. Term and vote go into a slot together with their record, before the sync, so that damage to one leaves the other.
struct StatusSlot: Equatable {
    static let spacing = 512
    private static let checkedByteCount = 40

    /// Grows with each slot written, over all segments.
    var counter: UInt64
    /// Everything of this segment before that byte has been synced.
    var syncedEnd: Int
    var hardState: HardState

    func encode(nonce: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.put(counter)
        bytes.put(UInt64(syncedEnd))
        EntryCoding.append(hardState, to: &bytes)
        bytes.put(bytes.withUnsafeBytes { Self.checksum($0, nonce) })
        return bytes
    }

    /// The newer of the two slots of a segment.
    static func newest(in segment: UnsafeRawBufferPointer, nonce: UInt64) -> StatusSlot? {
        let slots = [0, spacing].compactMap { offset -> StatusSlot? in
            let bytes = UnsafeRawBufferPointer(rebasing: segment[offset..<offset + checkedByteCount])
            let checksum = UInt32(littleEndian: segment.loadUnaligned(fromByteOffset: offset + checkedByteCount, as: UInt32.self))
            guard Self.checksum(bytes, nonce) == checksum else { return nil }
            var source = ByteSource(bytes)
            guard let counter = source.number(UInt64.self), let end = source.number(UInt64.self), let state = EntryCoding.hardState(&source)
            else { return nil }
            return StatusSlot(counter: counter, syncedEnd: Int(end), hardState: state)
        }
        return slots.max { $0.counter < $1.counter }
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer, _ nonce: UInt64) -> UInt32 {
        var crc = CRC32C()
        crc.update(nonce)
        crc.update(bytes)
        return crc.value
    }
}
