import WriteAheadLog

/// A file without its name: what the medium holds, and the writes since.
///
/// At every moment a read gives `durable` with `pending` laid over it, oldest first.
final class Inode {
    /// The kernel caches, and forgets after a failed sync, in pages of this size.
    static let pageByteCount = 4_096

    /// What the medium holds. Has the file's full size from the start.
    private(set) var durable: [UInt8]
    private(set) var pending: [PendingWrite] = []
    /// Whether the medium knows the size: not before the first sync.
    private(set) var isSizeDurable: Bool
    private var hasAbandoned = false

    init(byteCount: Int) {
        durable = [UInt8](repeating: 0, count: byteCount)
        isSizeDurable = false
    }

    init(onMedium bytes: [UInt8]) {
        durable = bytes
        isSizeDurable = true
    }

    private init(copying other: Inode) {
        durable = other.durable
        pending = other.pending
        isSizeDurable = other.isSizeDurable
        hasAbandoned = other.hasAbandoned
    }

    func copy() -> Inode { Inode(copying: self) }

    var byteCount: Int { durable.count }
    /// The least that a crash leaves.
    var guaranteed: [UInt8] { isSizeDurable ? durable : [] }

    var visible: [UInt8] {
        var bytes = durable
        for write in pending { bytes.overlay(write.bytes, at: write.offset) }
        return bytes
    }

    func read(at offset: Int, byteCount: Int) throws(FileFault) -> [UInt8] {
        guard offset >= 0, byteCount >= 0, offset <= durable.count - byteCount else { throw .beyondEnd }
        var bytes = Array(durable[offset..<offset + byteCount])
        for write in pending { bytes.overlay(write.bytes, at: write.offset - offset) }
        return bytes
    }

    // MARK: Calls of a process

    func write(_ write: PendingWrite) {
        // A page that is written again is written whole, with what an earlier failed sync had left in it.
        if hasAbandoned {
            for position in pending.indices where pending[position].sharesPage(with: write) { pending[position].isAbandoned = false }
        }
        hasAbandoned = hasAbandoned || write.isAbandoned
        pending.append(write)
    }

    func sync() {
        isSizeDurable = true
        for write in pending where !write.isAbandoned { commit(write) }
        if hasAbandoned {
            pending.removeAll { !$0.isAbandoned }
            hasAbandoned = !pending.isEmpty
        } else {
            pending.removeAll(keepingCapacity: true)
        }
    }

    /// A sync failed. Linux calls the pages clean from then on: they can be read, and no later sync writes them.
    func abandonPending() {
        for position in pending.indices { pending[position].isAbandoned = true }
        hasAbandoned = !pending.isEmpty
    }

    private func commit(_ write: PendingWrite) {
        if let place = write.mediumOffset { durable.overlay(write.bytes, at: place) }
    }

    // MARK: Crashes

    /// Power is cut after everything had reached the medium.
    func keepAll() {
        isSizeDurable = true
        for write in pending { commit(write) }
        forgetPending()
    }

    /// Power is cut before anything had.
    func loseAll() {
        if !isSizeDurable { durable = [] }
        isSizeDurable = true
        forgetPending()
    }

    /// Power is cut while writes are under way, in any order of sectors.
    ///
    /// A sector goes to the medium as it is in memory at some moment, so it ends up as one of its versions since the last sync: with
    /// one write in it come all earlier ones. Two sectors may be of quite different moments.
    func tear(sectorByteCount: Int, rng: inout some RandomNumberGenerator, counts: inout DiskCounts) {
        let wasSized = isSizeDurable
        tearWrites(sectorByteCount, &rng, &counts)
        guard !wasSized else { return }
        switch rng.next(upperBound: UInt64(3)) {
        case 0: durable = []
        case 1: durable.removeLast(durable.count - Int(rng.next(upperBound: UInt64(durable.count / sectorByteCount + 1))) * sectorByteCount)
        default: break
        }
        isSizeDurable = true
    }

    private func tearWrites(_ sectorByteCount: Int, _ rng: inout some RandomNumberGenerator, _ counts: inout DiskCounts) {
        guard !pending.isEmpty else { return }
        // By sector, the number of the newest write it holds, counted from 1.
        var versions = [Int](repeating: 0, count: durable.count / sectorByteCount + 1)
        for (position, write) in pending.enumerated() {
            guard let sectors = write.sectors(of: sectorByteCount) else { continue }
            switch rng.next(upperBound: UInt64(3)) {
            case 0: break
            case 1: for sector in sectors { versions[sector] = position + 1 }
            default: for sector in sectors where rng.next() & 1 == 1 { versions[sector] = position + 1 }
            }
        }
        for (position, write) in pending.enumerated() {
            guard let place = write.mediumOffset, let sectors = write.sectors(of: sectorByteCount) else { continue }
            var kept = 0
            for sector in sectors where versions[sector] > position {
                let start = max(place, sector * sectorByteCount)
                let end = min(place + write.bytes.count, (sector + 1) * sectorByteCount)
                durable.overlay(write.bytes[start - place..<end - place], at: start)
                kept += 1
            }
            if kept == sectors.count { counts.keptWrites += 1 } else if kept == 0 { counts.lostWrites += 1 } else { counts.tornWrites += 1 }
        }
        forgetPending()
    }

    /// The process is killed, the kernel lives on.
    ///
    /// What a failed sync left behind is drawn for each write: on the medium after all, still in memory, or dropped from it.
    /// - Parameter interrupted: The write that the process may have been killed in, which then stops at the end of a page.
    func survive(interrupted: DiskStamp?, rng: inout some RandomNumberGenerator, counts: inout DiskCounts) {
        if hasAbandoned {
            var left: [PendingWrite] = []
            for write in pending {
                switch write.isAbandoned ? rng.next(upperBound: UInt64(3)) : 0 {
                case 0: left.append(write)
                case 1: commit(write)
                default: break
                }
            }
            pending = left
            hasAbandoned = left.contains(where: \.isAbandoned)
        }
        guard let last = pending.last, last.stamp == interrupted, !last.isAbandoned else { return }
        let pages = last.offset / Self.pageByteCount...(last.offset + max(last.bytes.count, 1) - 1) / Self.pageByteCount
        let copied = Int(rng.next(upperBound: UInt64(2 * pages.count)))
        // In half of the cases it had ended.
        guard copied < pages.count else { return }
        pending.removeLast()
        if copied > 0 { pending.append(last.prefix((pages.lowerBound + copied) * Self.pageByteCount - last.offset)) }
        counts.shortWrites += 1
    }

    private func forgetPending() {
        pending.removeAll()
        hasAbandoned = false
    }

    // MARK: Damage

    func damage(_ bytes: [UInt8], at offset: Int) { durable.overlay(bytes, at: offset) }
    func truncate(to byteCount: Int) { durable.removeLast(durable.count - byteCount) }
}

/// A write that the medium does not hold for certain.
struct PendingWrite {
    let stamp: DiskStamp
    let offset: Int
    /// Where it goes when it is carried out; nil when it goes nowhere. Differs from `offset` only by ``WriteTwist``.
    let mediumOffset: Int?
    let bytes: [UInt8]
    /// A sync that should have carried it out failed.
    var isAbandoned = false

    /// The sectors it touches on the medium; nil when there are none.
    func sectors(of sectorByteCount: Int) -> ClosedRange<Int>? {
        guard let mediumOffset, !bytes.isEmpty else { return nil }
        return mediumOffset / sectorByteCount...(mediumOffset + bytes.count - 1) / sectorByteCount
    }

    func sharesPage(with other: PendingWrite) -> Bool {
        let page = Inode.pageByteCount
        return offset / page <= (other.offset + other.bytes.count) / page && other.offset / page <= (offset + bytes.count) / page
    }

    func prefix(_ byteCount: Int) -> PendingWrite {
        PendingWrite(stamp: stamp, offset: offset, mediumOffset: mediumOffset, bytes: Array(bytes.prefix(byteCount)))
    }
}

extension [UInt8] {
    /// Lays bytes over these from `offset` on, which may be negative; what reaches beyond either end is left out.
    mutating func overlay(_ bytes: [UInt8], at offset: Int) { overlay(bytes[...], at: offset) }

    mutating func overlay(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        let start = Swift.max(offset, 0)
        let end = Swift.min(offset + bytes.count, count)
        guard start < end else { return }
        withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[start..<end])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start - offset..<end - offset]))
            }
        }
    }
}
