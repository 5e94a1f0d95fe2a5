/// How effects leave a step: messages, the write, the hand-over to the state machine, the end.
extension RaftCore {
    /// Queues a message that promises nothing, or nothing that a crash could take back.
    mutating func send(_ payload: Message.Payload, to node: NodeID) {
        out.messages.append(OutgoingMessage(message: Message(from: id, to: node, term: term, payload: payload), after: nil))
    }

    /// Queues a message that may leave only when everything written so far is durable, this step's write included.
    mutating func sendWhenDurable(_ payload: Message.Payload, to node: NodeID) {
        let newest = pendingWrite?.sequence ?? lastIssued
        let after = newest > lastDurable ? newest : nil
        out.messages.append(OutgoingMessage(message: Message(from: id, to: node, term: term, payload: payload), after: after))
    }

    /// The write of this step, begun on first use.
    var write: LogWrite {
        get { pendingWrite ?? freshWrite }
        _modify {
            var write = pendingWrite ?? freshWrite
            pendingWrite = nil
            defer { pendingWrite = write }
            yield &write
        }
    }

    private var freshWrite: LogWrite {
        LogWrite(
            sequence: lastIssued.next, hardState: nil, reset: nil, truncateFrom: nil, entries: [], commit: .zero,
            endsRecovery: false)
    }

    /// Term and vote go to disk with this step's write, before its entries.
    mutating func persistHardState() { write.hardState = hardState }

    /// Adds an entry to the end of the log. A membership is in force from here on (paper §6).
    mutating func appendToLog(_ entry: Entry) {
        shape.append(term: entry.term)
        write.entries.append(entry)
        tail.append(entry, writtenBy: write.sequence)
        if let membership = entry.membership {
            memberships.append(MembershipRecord(index: entry.index, membership: membership))
        }
    }

    /// Takes back the log from `index` on, and the memberships that stood there.
    mutating func truncateLog(from index: LogIndex) {
        precondition(index > commit, "a committed entry is never taken back")
        shape.truncate(from: index)
        tail.truncate(from: index)
        write.truncateFrom = index
        if !isPlanted(.membershipNotRolledBack) {
            while let newest = memberships.last, newest.index >= index, memberships.count > 1 { memberships.removeLast() }
        }
    }

    mutating func issueWrite() {
        guard var write = pendingWrite else { return }
        pendingWrite = nil
        write.commit = commit
        lastIssued = write.sequence
        if writeMarks.count < settings.limits.writeMarksMax {
            writeMarks.append(WriteMark(through: write.sequence, issuedAt: clock))
        } else {
            writeMarks[writeMarks.count - 1].through = write.sequence
        }
        out.write = write
    }

    /// Gives the state machine what is committed and on this node's disk. Asked in every step, since either may be the last to come
    /// (`reference/raft.md` C4, redpanda PR 31642).
    mutating func handOver() {
        guard installing == nil else { return }
        if isPlanted(.commitNotReevaluated) && commitAtHandOverSkipped() { return }
        let through = min(commit, durableIndex)
        guard through > handedOver else { return }
        out.apply = handedOver.next...through
        handedOver = through
    }

    /// A planted fault: a commit that runs ahead of the disk is cut off and forgotten until the next one.
    private func commitAtHandOverSkipped() -> Bool { out.messages.isEmpty && pendingWrite == nil && !isLeader }

    mutating func announceStanding() {
        let standing = Standing(role: role, term: term, leader: leader)
        guard standing != announced else { return }
        announced = standing
        out.standing = standing
    }

    /// Something that cannot happen did. Nothing this step decided leaves the node.
    mutating func fail(_ violation: Violation) { halt(.violation(violation)) }

    mutating func halt(_ reason: HaltReason) { if halted == nil { halted = reason } }

    /// The last effects of a core: what it had promised to answer, and why it stops.
    mutating func stop(_ reason: HaltReason) {
        out.removeAll()
        pendingWrite = nil
        abandonReads(.noLeader)
        abandonProposals()
        if isLeader {
            failLeaderReads(.noLeader)
            failCommands(deposedBy: nil)
        }
        out.messages.removeAll()
        state = .following
        leader = nil
        announceStanding()
        out.halt = reason
    }
}
