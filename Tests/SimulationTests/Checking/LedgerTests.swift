import Testing

@testable import Raft
@testable import Simulation

private let one = NodeID(1)
private let two = NodeID(2)

private func id(_ term: UInt64, _ index: UInt64) -> EntryID { EntryID(term: Term(term), index: LogIndex(index)) }

private func entry(_ term: UInt64, _ index: UInt64, _ payload: UInt8 = 0, onlyIfTerm: UInt64? = nil, level: UInt16 = 0) -> Entry {
    Entry(id: id(term, index), body: .command(Command([payload], onlyIfTerm: onlyIfTerm.map { Term($0) }, featureLevel: level)))
}

private func write(_ sequence: UInt64, state: HardState? = nil, cut: UInt64? = nil, _ entries: [Entry] = []) -> LogWrite {
    LogWrite(
        sequence: WriteSequence(sequence), hardState: state, reset: nil, truncateFrom: cut.map { LogIndex($0) }, entries: entries, commit: .zero,
        endsRecovery: false)
}

/// The rule that `body` breaks, or nil.
private func rule(_ body: () throws(BrokenRule) -> Void) -> String? {
    do throws(BrokenRule) {
        try body()
        return nil
    } catch {
        return String(error.rule.prefix { $0 != " " })
    }
}

/// Each rule once kept and once broken.
@Suite struct LedgerTests {
    @Test func oneLeaderPerTerm() {
        var ledger = ElectionLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.leads(one, Term(1))
            try ledger.leads(one, Term(1))
            try ledger.leads(two, Term(2))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try ledger.leads(two, Term(1)) } == "V1")
    }

    @Test func oneVotePerTerm() {
        var ledger = ElectionLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.votes(one, for: two, in: Term(1))
            try ledger.votes(one, for: two, in: Term(1))
            try ledger.votes(one, for: one, in: Term(2))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try ledger.votes(one, for: one, in: Term(1)) } == "V9")
    }

    @Test func logMatching() {
        var ledger = LogLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.appended([entry(1, 1), entry(1, 2)], after: .zero)
            try ledger.appended([entry(1, 1)], after: .zero)
            try ledger.appended([entry(1, 2), entry(2, 3)], after: id(1, 1))
        } == nil)
        // The same entry after another one.
        #expect(rule { () throws(BrokenRule) in
            try ledger.appended([entry(2, 2)], after: id(1, 1))
            try ledger.appended([entry(2, 3)], after: id(2, 2))
        } == "V3")
        // The same name with another body.
        #expect(rule { () throws(BrokenRule) in try ledger.appended([entry(1, 2, 9)], after: id(1, 1)) } == "V3")
        #expect(rule { () throws(BrokenRule) in try ledger.appended([entry(7, 8)], after: id(7, 7)) } == "V3")
    }

    @Test func leaderCompleteness() {
        var ledger = CommitLedger()
        let terms: (LogIndex) -> Term? = { _ in Term(1) }
        #expect(rule { () throws(BrokenRule) in
            try ledger.commits(LogIndex(1)...LogIndex(2), in: Term(1), term: terms)
            try ledger.elected(Term(2), firstIndex: LogIndex(1), termAt: terms)
            try ledger.elected(Term(1), firstIndex: LogIndex(1)) { _ in nil }
        } == nil)
        #expect(rule { () throws(BrokenRule) in try ledger.elected(Term(2), firstIndex: LogIndex(1)) { $0 == LogIndex(1) ? Term(1) : nil } } == "V4")
        // An entry of an old term that a later leader committed: one elected late, in a term between, may lack it.
        var late = CommitLedger()
        let isQuiet = rule { () throws(BrokenRule) in
            try late.commits(LogIndex(1)...LogIndex(1), in: Term(7)) { _ in Term(5) }
            try late.elected(Term(6), firstIndex: LogIndex(1)) { _ in nil }
        } == nil
        #expect(isQuiet)
    }

    @Test func stateMachineSafety() {
        var ledger = CommitLedger()
        var isFirst: [Bool] = []
        #expect(rule { () throws(BrokenRule) in
            try ledger.commits(LogIndex(1)...LogIndex(2), in: Term(1)) { _ in Term(1) }
            try ledger.commits(LogIndex(1)...LogIndex(1), in: Term(1)) { _ in Term(1) }
            isFirst.append(try ledger.applied(entry(1, 1), level: 0))
            isFirst.append(try ledger.applied(entry(1, 1), level: 0))
        } == nil)
        #expect(isFirst == [true, false])
        #expect(rule { () throws(BrokenRule) in try ledger.commits(LogIndex(2)...LogIndex(2), in: Term(2)) { _ in Term(2) } } == "V5")
        #expect(rule { () throws(BrokenRule) in _ = try ledger.applied(entry(1, 1, 9), level: 0) } == "V5")
        #expect(rule { () throws(BrokenRule) in _ = try ledger.applied(entry(1, 3), level: 0) } == "V5")
    }

    @Test func onlyInItsTermAndLevel() {
        var ledger = CommitLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.commits(LogIndex(1)...LogIndex(3), in: Term(2)) { _ in Term(2) }
            _ = try ledger.applied(entry(2, 1, onlyIfTerm: 2, level: 1), level: 1)
        } == nil)
        #expect(rule { () throws(BrokenRule) in _ = try ledger.applied(entry(2, 2, onlyIfTerm: 1), level: 1) } == "V26")
        #expect(rule { () throws(BrokenRule) in _ = try ledger.applied(entry(2, 2, level: 2), level: 1) } == "V29")
    }

    @Test func equalStates() {
        var ledger = CommitLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.state(7, at: LogIndex(1))
            try ledger.state(7, at: LogIndex(1))
            try ledger.state(8, at: LogIndex(2))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try ledger.state(9, at: LogIndex(2)) } == "V19")
    }

    @Test func followersCommitWhatTheyShare() {
        func message(_ payload: Message.Payload) -> Message { Message(from: one, to: two, term: Term(2), payload: payload) }
        let append = message(.append(Append(previous: id(1, 1), entries: [entry(2, 2)], commit: LogIndex(9), epoch: 0)))
        let commit = message(.commit(id(2, 3)))
        #expect(rule { () throws(BrokenRule) in
            try CommitLedger.follows(append, to: LogIndex(2)) { _ in Term(2) }
            try CommitLedger.follows(commit, to: LogIndex(3)) { _ in Term(2) }
        } == nil)
        #expect(rule { () throws(BrokenRule) in try CommitLedger.follows(append, to: LogIndex(3)) { _ in Term(2) } } == "V5")
        // Another entry stands there, or an earlier index is taken.
        #expect(rule { () throws(BrokenRule) in try CommitLedger.follows(commit, to: LogIndex(3)) { _ in Term(1) } } == "V5")
        #expect(rule { () throws(BrokenRule) in try CommitLedger.follows(commit, to: LogIndex(2)) { _ in Term(2) } } == "V5")
    }

    @Test func memberships() {
        let old = Membership(voters: [one, two], generation: 1)
        let joint = Membership(voters: [one], outgoing: [one, two], generation: 2)
        var ledger = MembershipLedger(old)
        #expect(rule { () throws(BrokenRule) in
            try ledger.commits(joint)
            try ledger.commits(joint.final)
            try ledger.commits(Membership(voters: [one], learners: [two], generation: 4))
            try MembershipLedger.appended(by: Term(2), committed: Term(2), after: LogIndex(3), commit: LogIndex(3))
        } == nil)
        // Voters change in one step.
        #expect(rule { () throws(BrokenRule) in try ledger.commits(Membership(voters: [one, two], generation: 5)) } == "V15")
        // A generation is left out.
        #expect(rule { () throws(BrokenRule) in try ledger.commits(Membership(voters: [one], generation: 6)) } == "V15")
        #expect(rule { () throws(BrokenRule) in try MembershipLedger.appended(by: Term(2), committed: Term(1), after: LogIndex(3), commit: LogIndex(3)) } == "V15")
        // The joint one before it is not committed.
        #expect(rule { () throws(BrokenRule) in try MembershipLedger.appended(by: Term(2), committed: Term(2), after: LogIndex(4), commit: LogIndex(3)) } == "V15")
    }
}

@Suite struct IdentityTests {
    @Test func oneProcessPerIncarnation() {
        var ledger = IdentityLedger()
        #expect(rule { () throws(BrokenRule) in
            try ledger.begins(Incarnation(1))
            try ledger.begins(Incarnation(2))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try ledger.begins(Incarnation(1)) } == "V17")
    }

    @Test func onlyWhoIsToldRetires() {
        let notice = Input.message(Message(from: one, to: two, term: Term(1), payload: .retire(generation: 3)))
        #expect(rule { () throws(BrokenRule) in
            try IdentityLedger.halted(.retired(generation: 3), by: notice)
            try IdentityLedger.halted(.storage(.noSpace), by: .tick)
        } == nil)
        #expect(rule { () throws(BrokenRule) in try IdentityLedger.halted(.retired(generation: 4), by: notice) } == "V17")
        #expect(rule { () throws(BrokenRule) in try IdentityLedger.halted(.retired(generation: 3), by: .tick) } == "V17")
    }
}

@Suite struct RecoveredLogTests {
    private func logs() throws -> LogLedger {
        var ledger = LogLedger()
        try ledger.appended([entry(1, 1), entry(1, 2)], after: .zero)
        try ledger.appended([entry(2, 2), entry(2, 3)], after: id(1, 1))
        return ledger
    }

    @Test func whatWasWrittenMayBeFound() throws {
        let ledger = try logs()
        #expect(rule { () throws(BrokenRule) in
            try ledger.recovered([], after: .zero)
            try ledger.recovered([id(1, 1), id(1, 2)], after: .zero)
            try ledger.recovered([id(2, 2), id(2, 3)], after: id(1, 1))
        } == nil)
    }

    @Test func whatWasNeverWrittenMayNot() throws {
        let ledger = try logs()
        #expect(rule { () throws(BrokenRule) in try ledger.recovered([id(1, 1), id(3, 2)], after: .zero) } == "V21")
        #expect(rule { () throws(BrokenRule) in try ledger.recovered([id(2, 3)], after: id(3, 2)) } == "V21")
        // Both were written, and not one behind the other.
        #expect(rule { () throws(BrokenRule) in try ledger.recovered([id(1, 1), id(1, 2), id(2, 3)], after: .zero) } == "V21")
    }
}

@Suite struct DiskLedgerTests {
    private func disk() -> DiskLedger {
        var disk = DiskLedger()
        disk.durable(write(1, state: HardState(term: Term(2), vote: two), [entry(1, 1), entry(1, 2), entry(2, 3)]))
        return disk
    }

    @Test func followsWrites() {
        var disk = disk()
        #expect(disk.holds(id(2, 3)) && !disk.holds(id(1, 3)) && !disk.holds(id(2, 4)))
        disk.durable(write(2, cut: 2, [entry(2, 2)]))
        #expect(disk.holds(id(2, 2)) && !disk.holds(id(2, 3)) && disk.last == id(2, 2))
    }

    @Test func syncedThingsStay() {
        var disk = disk()
        let state = HardState(term: Term(2), vote: two)
        let terms: (LogIndex) -> Term? = { $0 == LogIndex(3) ? Term(2) : Term(1) }
        #expect(rule { () throws(BrokenRule) in try disk.check(recovered: HardState(term: Term(3), vote: nil), last: id(2, 3), term: terms) } == "V7")
        #expect(rule { () throws(BrokenRule) in
            try disk.issues(write(2, state: HardState(term: Term(3), vote: nil)))
            try disk.check(recovered: state, last: id(2, 3), term: terms)
            // A write that was not reported may have replaced the end.
            try disk.check(recovered: HardState(term: Term(3), vote: nil), last: id(3, 2)) { _ in nil }
        } == nil)
        #expect(rule { () throws(BrokenRule) in try disk.check(recovered: HardState(term: Term(1), vote: nil), last: id(2, 3), term: terms) } == "V7")
        #expect(rule { () throws(BrokenRule) in try disk.check(recovered: HardState(term: Term(2), vote: nil), last: id(2, 3), term: terms) } == "V7")
        #expect(rule { () throws(BrokenRule) in try disk.check(recovered: state, last: id(1, 2)) { _ in nil } } == "V21")
    }

    @Test func imagesReplaceOnlyLogsThatLackThem() {
        func reset(to last: EntryID) -> LogWrite {
            let image = SnapshotImage(last: last, fingerprint: 1)
            let meta = SnapshotMeta(image: image, membership: Membership(voters: [one]), membershipIndex: .zero, byteCount: 1)
            return LogWrite(sequence: WriteSequence(2), hardState: nil, reset: meta, truncateFrom: nil, entries: [], commit: .zero, endsRecovery: false)
        }
        var disk = disk()
        #expect(rule { () throws(BrokenRule) in
            try disk.issues(reset(to: id(2, 4)))
            try disk.issues(reset(to: id(3, 3)))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try disk.issues(reset(to: id(2, 3))) } == "V18")
    }

    @Test func imagesWaitForTheLog() {
        var disk = DiskLedger()
        let image = SnapshotImage(last: id(2, 4), fingerprint: 1)
        let meta = SnapshotMeta(image: image, membership: Membership(voters: [one]), membershipIndex: .zero, byteCount: 1)
        #expect(rule { () throws(BrokenRule) in try disk.installs(meta) } == "V18")
        disk.durable(LogWrite(sequence: WriteSequence(2), hardState: nil, reset: meta, truncateFrom: nil, entries: [], commit: .zero, endsRecovery: false))
        #expect(rule { () throws(BrokenRule) in try disk.installs(meta) } == nil)
        // A new process finds out for itself.
        disk = DiskLedger()
        disk.crashed()
        #expect(rule { () throws(BrokenRule) in try disk.installs(meta) } == nil)
    }

    @Test func promisesAreDurable() {
        let disk = disk()
        func message(_ term: UInt64, _ payload: Message.Payload, to: NodeID = two) -> Message { Message(from: one, to: to, term: Term(term), payload: payload) }
        let matched = { (id: EntryID) in Message.Payload.appendReply(AppendReply(result: .matched(id), epoch: 0, isCounted: true)) }
        let granted = { (term: UInt64) in Message.Payload.voteReply(VoteReply(campaign: Term(term), isGranted: true)) }
        #expect(rule { () throws(BrokenRule) in
            try disk.check(message(2, granted(2)))
            try disk.check(message(2, matched(id(2, 3))))
            try disk.check(message(1, matched(id(1, 3))))
        } == nil)
        #expect(rule { () throws(BrokenRule) in try disk.check(message(3, granted(3))) } == "V10")
        #expect(rule { () throws(BrokenRule) in try disk.check(message(2, granted(2), to: NodeID(3))) } == "V10")
        #expect(rule { () throws(BrokenRule) in try disk.check(message(2, matched(id(2, 4)))) } == "V10")
        let request = VoteRequest(campaign: Term(3), last: id(2, 3), isTransfer: false, generation: 0)
        #expect(rule { () throws(BrokenRule) in try disk.check(message(3, .vote(request))) } == "V10")
    }
}
