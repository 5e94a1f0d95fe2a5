package import WriteAheadLog

/// The calls that a process can make.
package enum DiskOperation: Hashable, Sendable, CaseIterable {
    case list, create, open, rename, remove, syncDirectory
    case read, write, syncFile
}

struct PlannedFailure {
    /// Nil for a call of any kind.
    let operation: DiskOperation?
    var skips: Int
    let fault: FileFault
}

/// How the medium carries out one write wrongly, while the node is told that all is well.
package enum WriteTwist: Hashable, Sendable {
    /// It goes this many bytes away from its place in the same file, round its end if need be, and its place keeps what it had.
    case misdirected(by: Int)
    /// It goes nowhere.
    case dropped
}

extension SimulatedDisk {
    /// Makes one call to come fail, once.
    ///
    /// A failed sync of a file leaves open what became of the writes before it, and later syncs do not try them again; a failed write
    /// leaves open how much of it was done. Other calls that fail change nothing.
    ///
    /// - Parameters:
    ///   - operation: Of this kind only; nil for any.
    ///   - skips: So many such calls succeed first.
    package func fail(_ operation: DiskOperation?, with fault: FileFault = .io(errno: 5), skipping skips: Int = 0) {
        plannedFailures.append(PlannedFailure(operation: operation, skips: skips, fault: fault))
    }

    /// Takes back what ``fail(_:with:skipping:)`` and ``twistNextWrite(_:)`` asked for and what has not happened yet.
    package func cancelPlannedFaults() {
        plannedFailures.removeAll()
        plannedTwist = nil
    }

    /// The next write that succeeds is carried out wrongly.
    package func twistNextWrite(_ twist: WriteTwist) { plannedTwist = twist }

    func takeFailure(of operation: DiskOperation) -> FileFault? {
        var due: Int?
        for position in plannedFailures.indices {
            guard plannedFailures[position].operation == nil || plannedFailures[position].operation == operation else { continue }
            if plannedFailures[position].skips == 0 { due = due ?? position } else { plannedFailures[position].skips -= 1 }
        }
        guard let due else { return nil }
        counts.failures += 1
        return plannedFailures.remove(at: due).fault
    }

    /// Where the medium will put a write.
    func place(_ byteCount: Int, at offset: Int, of inode: Inode) -> Int? {
        guard let twist = plannedTwist else { return offset }
        plannedTwist = nil
        let name = names.entries.first { $0.inode === inode }?.name ?? ""
        damages.append(Damage(kind: .dropped, file: name, range: offset..<offset + byteCount))
        switch twist {
        case .dropped:
            counts.droppedWrites += 1
            return nil
        case .misdirected(let distance):
            counts.misdirectedWrites += 1
            let places = inode.byteCount - byteCount + 1
            let place = ((offset + distance) % places + places) % places
            damages.append(Damage(kind: .misdirected, file: name, range: place..<place + byteCount))
            return place
        }
    }
}
