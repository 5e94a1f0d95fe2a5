internal import Raft
internal import SecretStore

/// Which attempt stands for which proposal, and which proposals want another attempt.
///
/// Belongs to the thread that drives the core.
struct OpenAttempts {
    private var asked: [Ticket: ProposalID] = [:]
    /// Those of `asked`: nothing is known of their attempt.
    private var inFlight: Set<ProposalID> = []
    /// Committed at an index that this node has not applied yet.
    private var committed: [(id: ProposalID, index: LogIndex)] = []
    private var parked: [ProposalID] = []
    /// By deadline: all proposals may take the same time, so they come in this order.
    private var deadlines: [(deadline: Instant, id: ProposalID)] = []
    private var firstDeadline = 0

    mutating func opened(_ id: ProposalID, deadline: Instant) { deadlines.append((deadline, id)) }
    mutating func ask(_ id: ProposalID, under ticket: Ticket) {
        asked[ticket] = id
        inFlight.insert(id)
    }

    mutating func take(_ ticket: Ticket) -> ProposalID? {
        guard let id = asked.removeValue(forKey: ticket) else { return nil }
        inFlight.remove(id)
        return id
    }

    /// The answers to these attempts will not be waited for.
    func markInFlight(in book: ProposalBook) {
        // Each on its own: the order is of no meaning.
        for id in inFlight { book.mayBeInLog(id) }
    }

    func isInFlight(_ id: ProposalID) -> Bool { inFlight.contains(id) }
    mutating func park(_ id: ProposalID) { parked.append(id) }
    mutating func commits(_ id: ProposalID, at index: LogIndex) { committed.append((id, index)) }

    var hasParked: Bool { !parked.isEmpty }

    mutating func takeParked() -> [ProposalID] {
        defer { parked = [] }
        return parked
    }

    /// The apply thread has met everything up to here.
    mutating func applied(_ index: LogIndex) {
        guard let first = committed.first, first.index <= index else { return }
        committed.removeAll { $0.index <= index }
    }

    /// A snapshot took the place of these entries: nobody met them here, so their proposals are asked again, for the remembered outcome.
    mutating func installed(_ index: LogIndex) {
        for attempt in committed where attempt.index <= index { parked.append(attempt.id) }
        committed.removeAll { $0.index <= index }
    }

    mutating func takeOverdue(at now: Instant) -> [ProposalID] {
        var overdue: [ProposalID] = []
        while firstDeadline < deadlines.count, deadlines[firstDeadline].deadline <= now {
            overdue.append(deadlines[firstDeadline].id)
            firstDeadline += 1
        }
        if firstDeadline > 1_024, firstDeadline * 2 > deadlines.count {
            deadlines.removeFirst(firstDeadline)
            firstDeadline = 0
        }
        return overdue
    }
}
