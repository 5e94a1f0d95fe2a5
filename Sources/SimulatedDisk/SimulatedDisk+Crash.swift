/// How a process ends, and what that does to what it had not synced.
package enum CrashMode: Hashable, Sendable, CaseIterable {
    /// Killed; the kernel lives on, and nothing is lost except the rest of a write that was under way. What was not synced still is
    /// not: the next process reads it, and a power cut may take it.
    case process
    /// Power is cut, and all had reached the medium by then.
    case powerKeepingAll
    /// Power is cut, and only what was synced is there.
    case powerLosingAll
    /// Power is cut; un-synced writes are kept, lost, or torn between sectors of 512 or of 4,096 bytes, each for itself. Of the
    /// changes of names, those up to some moment are kept.
    case powerTearing512
    case powerTearing4096
}

extension SimulatedDisk {
    /// Ends the process that uses the disk. The next one comes by ``open()``.
    package func crash(_ mode: CrashMode, rng: inout some RandomNumberGenerator) {
        life += 1
        counts.crashes += 1
        cancelPlannedFaults()
        if mode == .process {
            for entry in names.entries { entry.inode.survive(interrupted: newestWrite, rng: &rng, counts: &counts) }
            newestWrite = nil
            return
        }
        settleNames(mode, rng: &rng)
        for entry in names.entries { settle(entry.inode, mode, rng: &rng) }
    }

    private func settleNames(_ mode: CrashMode, rng: inout some RandomNumberGenerator) {
        let kept =
            switch mode {
            case .process, .powerKeepingAll: pendingNames.count
            case .powerLosingAll: 0
            case .powerTearing512, .powerTearing4096: Int(rng.next(upperBound: UInt64(pendingNames.count + 1)))
            }
        counts.keptNames += kept
        counts.lostNames += pendingNames.count - kept
        for pending in pendingNames.prefix(kept) { durableNames.apply(pending.change) }
        pendingNames.removeAll()
        names = durableNames
    }

    private func settle(_ inode: Inode, _ mode: CrashMode, rng: inout some RandomNumberGenerator) {
        let byteCount = inode.byteCount
        switch mode {
        case .process: break
        case .powerKeepingAll:
            counts.keptWrites += inode.pending.count
            inode.keepAll()
        case .powerLosingAll:
            counts.lostWrites += inode.pending.count
            inode.loseAll()
        case .powerTearing512: inode.tear(sectorByteCount: 512, rng: &rng, counts: &counts)
        case .powerTearing4096: inode.tear(sectorByteCount: 4_096, rng: &rng, counts: &counts)
        }
        if inode.byteCount < byteCount { counts.shortFiles += 1 }
    }
}
