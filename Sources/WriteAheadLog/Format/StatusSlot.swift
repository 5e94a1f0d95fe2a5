import Raft

/// What changes in place, in two copies that take turns, each in a block of its own: how far the segment is known to be on disk, from where
/// on the log is needed, and term and vote once more.
///
/// A slot is written behind a sync, when nothing else is to be done. So it never says too much: damage before its mark is damage and no
/// torn write. Term and vote go into a slot together with their record, before the sync, so that damage to one leaves the other.
struct StatusSlot: Equatable {
    private static let checkedByteCount = 48

    /// Grows with each slot written, over all segments.
    var counter: UInt64
    /// Everything of this segment before that byte has been synced.
    var syncedEnd: Int
    /// The oldest segment that the log needs.
    var oldest: UInt64
    var hardState: HardState

    /// Where in its segment it is written.
    var offset: Int { Self.offsets[Int(counter % 2)] }

    static let offsets = [SegmentHeader.blockByteCount, 2 * SegmentHeader.blockByteCount]

    func encode(nonce: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.put(counter)
        bytes.put(UInt64(syncedEnd))
        bytes.put(oldest)
        EntryCoding.append(hardState, to: &bytes)
        bytes.put(bytes.withUnsafeBytes { Self.checksum($0, nonce) })
        return bytes
    }

    /// The newer of the two slots of a segment.
    static func newest(in segment: UnsafeRawBufferPointer, nonce: UInt64) -> StatusSlot? {
        let slots = offsets.compactMap { offset -> StatusSlot? in
            let bytes = UnsafeRawBufferPointer(rebasing: segment[offset..<offset + checkedByteCount])
            let checksum = UInt32(littleEndian: segment.loadUnaligned(fromByteOffset: offset + checkedByteCount, as: UInt32.self))
            guard Self.checksum(bytes, nonce) == checksum else { return nil }
            var source = ByteSource(bytes)
            guard let counter = source.number(UInt64.self), let end = source.number(UInt64.self), let oldest = source.number(UInt64.self),
                let state = EntryCoding.hardState(&source)
            else { return nil }
            return StatusSlot(counter: counter, syncedEnd: Int(end), oldest: oldest, hardState: state)
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
