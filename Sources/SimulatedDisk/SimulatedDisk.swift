import WriteAheadLog

/// The disk of one node, in memory: it survives the node's crashes and breaks in the ways that disks break (`reference/raft.md` §3.3).
///
/// Keeps apart what the medium holds and what was only said to the kernel: writes to files since their last sync, and changes of names
/// since the directory's. A crash decides what becomes of those. Everything that is left to chance takes its numbers from the caller,
/// so a seed gives the same disk every time.
///
/// One thread owns the disk and all that it hands out.
package final class SimulatedDisk {
    // MARK: Settings, changed by the owner at any time

    /// How many bytes all files together may take. Nothing that is there is touched by a lower number; only new files are refused.
    package var byteCountMax = Int.max
    /// Syncs answer without doing anything: a disk that loses power with acknowledged data in its cache. Breaks every promise above it.
    package var syncsLie = false
    /// No call ever ends. The disk itself does not wait: a world with a clock reads this and keeps the answers back.
    package var isHung = false
    /// How long a sync takes, by the clock of the world that drives this disk.
    package var latencyNanoseconds: UInt64 = 0

    // MARK: What happened

    package internal(set) var counts = DiskCounts()
    /// What was damaged behind the node's back since the disk was new or restored, oldest first.
    package internal(set) var damages: [Damage] = []

    // MARK: State

    /// The directory as the node sees it, and as the medium holds it.
    var names = NameTable()
    var durableNames = NameTable()
    /// What leads from `durableNames` to `names`.
    var pendingNames: [PendingName] = []
    var plannedFailures: [PlannedFailure] = []
    var plannedTwist: WriteTwist?
    /// Counts the processes that used the disk.
    var life = 0
    /// The write that the process made in its last call so far, if that was one.
    var newestWrite: DiskStamp?
    /// Names the newest write, creation or renaming.
    package internal(set) var lastStamp = DiskStamp.zero

    package init() {}

    /// The directory for a new process. Whoever had one before is dead from now on: a call of its is a mistake of the simulator.
    package func open() -> SimulatedDirectory {
        life += 1
        return SimulatedDirectory(disk: self, life: life)
    }

    /// An independent disk in the same state, which no process has opened yet.
    package func copy() -> SimulatedDisk {
        let copy = SimulatedDisk()
        copy.byteCountMax = byteCountMax
        copy.syncsLie = syncsLie
        copy.isHung = isHung
        copy.latencyNanoseconds = latencyNanoseconds
        copy.counts = counts
        copy.damages = damages
        copy.plannedFailures = plannedFailures
        copy.plannedTwist = plannedTwist
        copy.lastStamp = lastStamp
        // The tables share files, and so must their copies.
        var copied: [(original: Inode, copy: Inode)] = []
        func copyOf(_ inode: Inode) -> Inode {
            if let known = copied.first(where: { $0.original === inode }) { return known.copy }
            copied.append((inode, inode.copy()))
            return copied[copied.count - 1].copy
        }
        copy.durableNames = durableNames.mapInodes(copyOf)
        copy.names = names.mapInodes(copyOf)
        copy.pendingNames = pendingNames.map { PendingName(change: $0.change.mapInode(copyOf), stamp: $0.stamp) }
        return copy
    }

    func nextStamp() -> DiskStamp {
        lastStamp = DiskStamp(raw: lastStamp.raw + 1)
        return lastStamp
    }

    /// Comes first in each call of a process: it must be alive, and the call may be one that was chosen to fail.
    func begin(_ operation: DiskOperation, life: Int) throws(FileFault) {
        precondition(life == self.life, "a process that has crashed still uses its disk")
        counts.operations += 1
        newestWrite = nil
        if !plannedFailures.isEmpty, let fault = takeFailure(of: operation) { throw fault }
    }

    // MARK: Truth for checkers

    /// Everything up to this stamp is on the medium, as far as the medium itself knows, under names that are there too. It stays
    /// behind at a write whose sync failed or lied, until a power cut shows what became of it.
    package var durableStamp: DiskStamp {
        var first = lastStamp.raw + 1
        for change in pendingNames {
            if let stamp = change.stamp { first = min(first, stamp.raw) }
        }
        for entry in names.entries {
            if let stamp = entry.inode.pending.first?.stamp { first = min(first, stamp.raw) }
        }
        return DiskStamp(raw: first - 1)
    }

    /// What would be there after a crash that loses all that it may lose. Also a backup: give it to ``restore(_:)`` later.
    package var image: DiskImage {
        DiskImage(files: durableNames.entries.map { DiskImage.File(name: $0.name, bytes: $0.inode.guaranteed) }.sorted { $0.name < $1.name })
    }

    /// What the node would read now.
    package var visibleImage: DiskImage {
        DiskImage(files: names.entries.map { DiskImage.File(name: $0.name, bytes: $0.inode.visible) }.sorted { $0.name < $1.name })
    }
}

/// Names one write, creation or renaming on one disk, in the order in which they were called; 0 is before the first.
package struct DiskStamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package static let zero = DiskStamp(raw: 0)
    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    package var description: String { "d\(raw)" }
}
