import Raft
import Testing

@testable import Simulation

/// Histories of one register and two clients, each kept and broken once.
@Suite struct ClientLedgerTests {
    private static let key: UInt64 = 5

    private func operation(_ number: Int, _ kind: ClientOperation.Kind, _ outcome: ClientOperation.Outcome? = nil) -> ClientOperation {
        ClientOperation(
            number: number, client: number, session: UInt64(number), sequence: kind == .get ? 0 : 1, key: Self.key, kind: kind, begin: .zero,
            end: outcome == nil ? nil : .zero, outcome: outcome)
    }

    private func put(_ value: UInt64, by number: Int) -> RegisterCommand {
        RegisterCommand(session: UInt64(number), sequence: 1, key: Self.key, action: .put(value))
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

    /// Operation 1 writes 10 at index 3, and its client knows.
    private func writtenOnce() throws(BrokenRule) -> ClientLedger {
        var ledger = ClientLedger()
        ledger.invoked(operation(1, .put(10)))
        try ledger.applied(put(10, by: 1), at: LogIndex(3), written)
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
            var ledger = ClientLedger()
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
            try ledger.applied(put(10, by: 1), at: LogIndex(4), .command(.written, isRepeated: true))
            try ledger.applied(put(10, by: 1), at: LogIndex(5), .refused)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(10, by: 1), at: LogIndex(4), written)
        } == "V12")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try ledger.applied(put(10, by: 1), at: LogIndex(4), .command(.mismatch(1), isRepeated: true))
        } == "V12")
        #expect(rule { () throws(BrokenRule) in
            var ledger = ClientLedger()
            try ledger.applied(put(10, by: 1), at: LogIndex(3), written)
            try ledger.finished(operation(1, .put(10), .mismatch(4)))
        } == "V12")
    }

    @Test func freshReads() {
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 3, value: 10, told: 10)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 2, value: 0, told: 0)
        } == "V14")
    }

    @Test func readsFollowTheHistory() {
        // Before anybody was told, the older value is right.
        #expect(rule { () throws(BrokenRule) in
            var ledger = ClientLedger()
            try ledger.applied(put(10, by: 1), at: LogIndex(3), written)
            try read(&ledger, at: 2, value: 0, told: 0)
        } == nil)
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 4, value: 11, told: 11)
        } == "V13")
        #expect(rule { () throws(BrokenRule) in
            var ledger = try writtenOnce()
            try read(&ledger, at: 4, value: 10, told: 12)
        } == "V13")
    }

    @Test func writesFollowRealTime() {
        // A second write that begins after the first was answered takes effect before it.
        #expect(rule { () throws(BrokenRule) in
            var ledger = ClientLedger()
            ledger.invoked(operation(1, .put(10)))
            try ledger.applied(put(11, by: 3), at: LogIndex(2), written)
            try ledger.applied(put(10, by: 1), at: LogIndex(3), written)
            try ledger.finished(operation(1, .put(10), .written))
            ledger.invoked(operation(3, .put(11)))
            try ledger.finished(operation(3, .put(11), .written))
        } == "V13")
    }
}
