import Raft

/// What a segment begins with: everything that the log must know when this segment is its oldest, so that those before it can be dropped.
/// Written once, before the segment has a name. The two status slots follow, in blocks of their own.
struct SegmentHeader: Equatable {
    /// Where the records begin.
    static let byteCount = 3 * blockByteCount
    /// No disk writes less at once: what is in one block is never torn by a write to another.
    static let blockByteCount = 4_096
    private static let magic: UInt64 = 0x4C41_5743_4E4F_4331 // "1CONCWAL"
    private static let formatVersion: UInt32 = 1

    var identity: LogIdentity
    /// Grows with each segment. That of a segment that was given up may come again, with another nonce.
    var sequence: UInt64
    /// Differs from that of any segment that used the same file before.
    var nonce: UInt64
    /// The oldest segment that the log needed when this one was begun.
    var oldest: UInt64
    /// The segment before, and where its records end for this one. What lies behind was given up. 0 for the first segment.
    var previousSequence: UInt64
    var previousEnd: Int
    var state: LogState

    /// Where the chain of records starts.
    var chain: UInt32 { UInt32(truncatingIfNeeded: nonce ^ nonce >> 32) }

    /// `<sequence>-<index of the first entry that may stand here>.wal`, in hexadecimal.
    var name: String { Self.hex(sequence) + "-" + Self.hex(state.lastID.index.raw + 1) + Self.suffix }

    static let suffix = ".wal"
    /// What the name of a segment ends with that lay behind damage and is no part of the log any more.
    static let setAsideSuffix = ".damaged"

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The sequence in a segment's name; nil for other files.
    static func sequence(inName name: String) -> UInt64? {
        guard name.hasSuffix(suffix), name.utf8.count == 33 + suffix.utf8.count else { return nil }
        return UInt64(name.prefix(16), radix: 16)
    }

    /// All that stands before the records, with empty slots.
    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.put(Self.magic)
        bytes.put(Self.formatVersion)
        let lengthOffset = bytes.count
        bytes.put(UInt32(0))
        for number in [identity.cluster, identity.node, sequence, nonce, oldest, previousSequence, UInt64(previousEnd)] { bytes.put(number) }
        state.append(to: &bytes)
        bytes.put(UInt32(bytes.count), at: lengthOffset)
        bytes.put(bytes.withUnsafeBytes { CRC32C.of($0) })
        precondition(bytes.count <= Self.blockByteCount, "a handful of memberships of a handful of nodes fits")
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
        let block = UnsafeRawBufferPointer(rebasing: bytes[..<blockByteCount])
        var source = ByteSource(block)
        guard source.number(UInt64.self) == magic, let version = source.number(UInt32.self), let length = source.number(UInt32.self),
            Int(length) + 4 <= block.count
        else { return .unreadable }
        let checksum = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: Int(length), as: UInt32.self))
        guard CRC32C.of(UnsafeRawBufferPointer(rebasing: block[..<Int(length)])) == checksum else { return .unreadable }
        guard version == formatVersion else { return .unknownFormat(version) }
        guard let cluster = source.number(UInt64.self), let node = source.number(UInt64.self), let sequence = source.number(UInt64.self),
            let nonce = source.number(UInt64.self), let oldest = source.number(UInt64.self),
            let previousSequence = source.number(UInt64.self), let end = source.number(UInt64.self), let state = LogState(&source)
        else { return .unreadable }
        return .header(
            SegmentHeader(
                identity: LogIdentity(cluster: cluster, node: node), sequence: sequence, nonce: nonce, oldest: oldest,
                previousSequence: previousSequence, previousEnd: Int(end), state: state))
    }
}
