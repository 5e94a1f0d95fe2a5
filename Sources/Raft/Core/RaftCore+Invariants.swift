/// What must hold after every step. Cheap enough to check in tests and simulations always.
extension RaftCore {
    /// - Throws: The first relation that does not hold.
    package func checkInvariants() throws(Violation) {
        func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(Violation) {
            if !holds { throw .inconsistent("node \(id) in term \(term): " + sentence()) }
        }
        guard halted == nil else { return }
        try require(shape.isWellFormed, "term runs contradict each other")
        try require(shape.last.term <= term, "the log is ahead of the term")
        try require(commit <= shape.lastIndex, "commit \(commit) is beyond the log's end \(shape.lastIndex)")
        try require(stateDurable <= applied && applied <= handedOver && handedOver <= commit, "state indexes are out of order")
        try require(installing != nil || handedOver <= durableIndex, "applied entries are not durable")
        try require(shape.compactedThrough.index <= max(stateDurable, installing?.last.index ?? .zero), "compacted beyond the durable state")
        if let first = tail.firstIndex {
            try require(first + tail.count == shape.lastIndex.next, "the tail does not end where the log does")
        }
        try require(lastDurable <= lastIssued && pendingWrite == nil, "writes are out of order")
        try require(out.isEmpty, "effects were left behind")
        try require(!memberships.isEmpty && memberships.allSatisfy(\.membership.isWellFormed), "a membership is malformed")
        try require(zip(memberships, memberships.dropFirst()).allSatisfy { $0.index < $1.index }, "memberships are out of order")
        try require((memberships.last?.index ?? .zero) <= max(shape.lastIndex, commit), "a membership is beyond the log")
        let open = memberships.filter { $0.index > commit }.count
        try require(open <= 1 || !isLeader || isPlanted(.finalBeforeJointCommitted), "\(open) memberships are not committed")
        let limits = settings.limits
        try require(proposals.count <= limits.proposalsMax, "too many open proposals")
        try require(writeMarks.count <= limits.writeMarksMax, "too many marks of unfinished writes")
        try require(followerReads.count <= limits.readsMax, "too many open reads")
        switch state {
        case .following: break
        case .campaigning(let ballot):
            try require(leader == nil, "a candidate knows a leader")
            try require(ballot.kind == .pre ? ballot.campaign == term.next : ballot.campaign == term, "a ballot of another term")
            try require(ballot.kind == .pre || hardState.vote == id, "a candidate that voted for another")
        case .leading(let leadership): try checkLeadership(leadership)
        }
    }

    private func checkLeadership(_ leadership: Leadership) throws(Violation) {
        func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(Violation) {
            if !holds { throw .inconsistent("leader \(id) of term \(term): " + sentence()) }
        }
        try require(leader == id && hardState.vote == id, "leads without its own vote")
        try require(recovery == nil && installing == nil, "leads with a damaged log")
        try require(shape.last.term == term, "the log lacks the no-op of the term")
        try require(zip(leadership.progress, leadership.progress.dropFirst()).allSatisfy { $0.node < $1.node }, "progress is not sorted")
        for node in membership.members where node != id {
            try require(leadership.position(of: node) != nil, "no progress of member \(node)")
        }
        for peer in leadership.progress {
            try require(peer.match < peer.next && peer.next <= shape.lastIndex.next, "progress of \(peer.node) is out of order")
            try require(peer.inflights.count <= settings.limits.inflightAppendsMax, "too many appends under way to \(peer.node)")
            let slack = settings.limits.appendBytesMax + settings.limits.commandBytesMax
            try require(peer.inflights.byteCount <= settings.limits.inflightBytesMax + slack + 256, "too many bytes under way to \(peer.node)")
            if case .replicate = peer.state {} else { try require(peer.inflights.count == 0, "a window outside of replication") }
        }
        try require(leadership.reads.count <= settings.limits.readsMax, "too many open reads")
        try require(leadership.uncommittedBytes >= 0 && leadership.uncommitted.isEmpty == (leadership.uncommittedBytes == 0), "uncommitted bytes are miscounted")
        try require(
            leadership.uncommittedBytes <= settings.limits.uncommittedBytesMax || leadership.uncommitted.count == 1, "too many uncommitted bytes")
        try require(leadership.images.count <= leadership.progress.count + 1, "images pile up")
        try require(leadership.forwardOrigins.count <= settings.limits.forwardOriginsMax, "forward origins pile up")
    }
}
