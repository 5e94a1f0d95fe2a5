internal import Raft

/// Reads on their way: asked for under a ticket, then waiting for the state machine to reach the index that came back.
///
/// Belongs to the thread that drives the core.
struct PendingReads {
    private struct Ready {
        let index: LogIndex
        let reads: [Intake.Read]
    }

    private var asked: [Ticket: [Intake.Read]] = [:]
    private var ready: [Ready] = []
    /// To be asked again.
    private var parked: [Intake.Read] = []

    var isEmpty: Bool { asked.isEmpty && ready.isEmpty && parked.isEmpty }
    var count: Int { asked.values.reduce(parked.count) { $0 + $1.count } + ready.reduce(0) { $0 + $1.reads.count } }

    mutating func ask(_ reads: [Intake.Read], under ticket: Ticket) { asked[ticket] = reads }

    /// The reads of these tickets may go ahead at `index`.
    mutating func confirmed(_ tickets: [Ticket], at index: LogIndex) {
        for ticket in tickets {
            guard let reads = asked.removeValue(forKey: ticket) else { continue }
            ready.append(Ready(index: index, reads: reads))
        }
    }

    /// Nothing was promised to these: they are asked again later.
    mutating func failed(_ tickets: [Ticket]) {
        for ticket in tickets {
            guard let reads = asked.removeValue(forKey: ticket) else { continue }
            parked += reads
        }
    }

    /// Takes what has waited for the state machine to get here.
    mutating func take(through applied: LogIndex) -> [Intake.Read] {
        guard ready.contains(where: { $0.index <= applied }) else { return [] }
        var taken: [Intake.Read] = []
        ready.removeAll { waiting in
            guard waiting.index <= applied else { return false }
            taken += waiting.reads
            return true
        }
        return taken
    }

    /// Takes what is to be asked again.
    mutating func takeParked() -> [Intake.Read] {
        defer { parked = [] }
        return parked
    }

    /// Takes what has waited too long.
    mutating func takeOverdue(at now: Instant) -> [Intake.Read] {
        var overdue: [Intake.Read] = []
        func isOverdue(_ read: Intake.Read) -> Bool {
            guard read.deadline <= now else { return false }
            overdue.append(read)
            return true
        }
        parked.removeAll(where: isOverdue)
        // Those of one ticket or index came at about the same time.
        for position in ready.indices.reversed() where ready[position].reads.allSatisfy({ $0.deadline <= now }) {
            overdue += ready.remove(at: position).reads
        }
        return overdue
    }

    mutating func takeAll() -> [Intake.Read] {
        defer { self = PendingReads() }
        // The order of failures is of no meaning.
        return asked.values.flatMap { $0 } + ready.flatMap(\.reads) + parked
    }
}
