import Raft
import Sessions
import Testing

@testable import Simulation

/// Histories of one register and two clients, each kept and broken once.
@Suite struct ClientLedgerTests {
    private static let key: UInt64 = 5

    private func operation(_ number: Int, _ kind: ClientOperation.Kind, _ outcome: ClientOperation.Outcome? = nil) -> ClientOperation {
        ClientOperation(
            number: number, client: number, session: kind == .get ? nil : session(number), sequence: kind == .get ? 0 : 1, key: Self.key, kind: kind, begin: .zero,
            end: outcome == nil ? nil : .zero, outcome: outcome)
    }

    private func session(_ number: Int) -> SessionID { SessionID(registeredAt: UInt64(number), nonce: 7) }

    private func write(_ action: RegisterCommand.Action, by number: Int) -> RegisterCommand {
        .write(SessionRequest(session: session(number), sequence: 1, answeredBelow: 1), key: Self.key, action)
    }

    private func put(_ value: UInt64, by number: Int) -> RegisterCommand { write(.put(value), by: number) }

    /// A ledger that knows the sessions of operations 1, 2 and 3.
    private func opened() throws(BrokenRule) -> ClientLedger {
        var ledger = ClientLedger()
        for number in 1...3 {
            try ledger.applied(.registration(nonce: 7), at: LogIndex(UInt64(number)), .registered(.registered(session(number), evicted: [])))
        }
        return ledger
    }

    private let written = ApplyResult.command(.written, isRepeated: false)

    /// The rule that `body` breaks, or nil.
    private func rule(_ body: () throws(BrokenRule) -> Void) -> String? {
        do throws(BrokenRule) {
            try body()
            return nil
        } catch {
            return String(error.rule.prefix { $0 != " " })
        }
    }

    /// Operation 1 writes 10 at index 13, and its client knows.
    private func writtenOnce() throws(BrokenRule) -> ClientLedger {
        var ledger = try opened()
        ledger.invoked(operation(1, .put(10)))
        try ledger.applied(put(10, by: 1), at: LogIndex(13), written)
        try ledger.finished(operation(1, .put(10), .written))
        return ledger
    }

    private func read(_ ledger: inout ClientLedger, at index: UInt64, value: UInt64, told: UInt64) throws(BrokenRule) {
        ledger.invoked(operation(2, .get))
        ledger.attempted(operation(2, .get), ticket: Ticket(9))
        try ledger.readServed(Ticket(9), applied: LogIndex(index)) { _ in value }
        try ledger.finished(operation(2, .get, .read(told)))
    }

    @Test func acknowledgedIsApplied() {
        #expect(rule { () throws(BrokenRule) in
            let ledger = try writtenOnce()
            try ledger.audit([operation(1, .put(10), .written), operation(2, .put(11), .failed), operation(3, .put(12), .unknown)])
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            try ledger.finished(operation(1, .put(10), .written))
        } == "V11")
        #expect(rule { () throws(BrokenRule) in try ClientLedger().audit([operation(1, .put(10), .written)]) } == "V11")
    }

    @Test func failedIsNotApplied() {
        #expect(rule { () throws(BrokenRule) in try writtenOnce().audit([operation(1, .put(10), .failed)]) } == "V27")
    }

    @Test func exactlyOnce() {
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(10, by: 1), at: LogIndex(14), .command(.written, isRepeated: true))
            try ledger.applied(put(10, by: 1), at: LogIndex(15), .refused(.sequenceTooLow))
            try ledger.applied(put(10, by: 1), at: LogIndex(16), .forgotten)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(10, by: 1), at: LogIndex(14), written)
        } == "V12")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(10, by: 1), at: LogIndex(14), .command(.mismatch(1), isRepeated: true))
        } == "V12")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            try ledger.applied(put(10, by: 1), at: LogIndex(13), written)
            try ledger.finished(operation(1, .put(10), .mismatch(4)))
        } == "V12")
        // Said to be done, and never was.
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            try ledger.applied(put(10, by: 1), at: LogIndex(13), .forgotten)
        } == "V12")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            try ledger.applied(put(10, by: 1), at: LogIndex(13), .command(.written, isRepeated: true))
        } == "V12")
    }

    @Test("every reply is the one of the register as it was")
    func repliesFollowTheRegister() {
        func compareAndSet(_ expected: UInt64, _ reply: CommandReply) -> String? {
            rule { () throws(BrokenRule) in
                var ledger = try writtenOnce()
                try ledger.applied(write(.compareAndSet(expected: expected, new: 20), by: 2), at: LogIndex(14), .command(reply, isRepeated: false))
            }
        }
        #expect(compareAndSet(10, .written) == nil)
        #expect(compareAndSet(9, .mismatch(10)) == nil)
        // It should not have been done, should have been done, saw what was not there.
        #expect(compareAndSet(9, .written) == "V13")
        #expect(compareAndSet(10, .mismatch(10)) == "V13")
        #expect(compareAndSet(9, .mismatch(11)) == "V13")
        // A put asks for nothing.
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(11, by: 2), at: LogIndex(14), .command(.mismatch(10), isRepeated: false))
        } == "V13")
    }

    @Test("a mismatch leaves the register as it is, so that the next reply shows the old value")
    func mismatchChangesNothing() {
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(write(.compareAndSet(expected: 9, new: 20), by: 2), at: LogIndex(14), .command(.mismatch(10), isRepeated: false))
            try ledger.applied(write(.compareAndSet(expected: 20, new: 30), by: 3), at: LogIndex(15), .command(.mismatch(10), isRepeated: false))
        } == nil)
    }

    @Test func freshReads() {
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 13, value: 10, told: 10)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 12, value: 0, told: 0)
        } == "V14")
    }

    @Test func readsFollowTheHistory() {
        // Before anybody was told, the older value is right.
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            try ledger.applied(put(10, by: 1), at: LogIndex(13), written)
            try read(&ledger, at: 12, value: 0, told: 0)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 14, value: 11, told: 11)
        } == "V13")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 14, value: 10, told: 12)
        } == "V13")
    }

    @Test func writesFollowRealTime() {
        // A second write that begins after the first was answered takes effect before it.
        #expect(rule { () throws(BrokenRule) in
            var ledger = try opened()
            ledger.invoked(operation(1, .put(10)))
            try ledger.applied(put(11, by: 3), at: LogIndex(12), written)
            try ledger.applied(put(10, by: 1), at: LogIndex(13), written)
            try ledger.finished(operation(1, .put(10), .written))
            ledger.invoked(operation(3, .put(11)))
            try ledger.finished(operation(3, .put(11), .written))
        } == "V13")
    }
}
