import Raft
import Sessions
import Testing

@testable import Simulation

/// Histories as a run leaves them, right and doctored.
@Suite struct HistoryCheckTests {
    private struct Line {
        var kind: ClientOperation.Kind
        var time: ClosedRange<UInt64>
        var outcome: ClientOperation.Outcome
        /// Where the log has it.
        var index: UInt64?

        init(_ kind: ClientOperation.Kind, _ time: ClosedRange<UInt64>, _ outcome: ClientOperation.Outcome, at index: UInt64? = nil) {
            self.kind = kind
            self.time = time
            self.outcome = outcome
            self.index = index
        }
    }

    /// Two clients' worth of everything.
    private static let right = [
        Line(.put(10), 1...5, .written, at: 3),
        Line(.get, 6...8, .read(10), at: 3),
        Line(.compareAndSet(expected: 10, new: 11), 7...12, .written, at: 6),
        Line(.compareAndSet(expected: 10, new: 12), 13...14, .mismatch(11), at: 7),
        // Nobody saw the answer; others saw the value.
        Line(.put(13), 15...20, .unknown, at: 8),
        Line(.get, 21...22, .read(13), at: 8),
        Line(.put(14), 23...24, .unknown),
        Line(.put(15), 25...26, .failed),
        Line(.compareAndSet(expected: 5, new: 16), 27...28, .unknown, at: 9),
        Line(.get, 29...30, .failed),
        Line(.get, 31...32, .read(13), at: 9),
    ]

    /// The rule that the history breaks, or nil.
    private func rule(stepCountMax: Int = 1_000_000, _ change: (inout [Line]) -> Void) -> String? {
        var lines = Self.right
        change(&lines)
        let history = lines.enumerated().map { number, line in
            ClientOperation(
                number: number, client: number, session: line.kind == .get ? nil : SessionID(registeredAt: 1, nonce: 1),
                sequence: line.kind == .get ? 0 : UInt64(number + 1), key: 0, kind: line.kind,
                begin: VirtualTime(nanoseconds: line.time.lowerBound), end: VirtualTime(nanoseconds: line.time.upperBound), outcome: line.outcome)
        }
        do throws(BrokenRule) {
            try HistoryCheck(history, stepCountMax: stepCountMax) { lines[$0.number].index.map { LogIndex($0) } }.check()
            return nil
        } catch {
            return error.rule
        }
    }

    @Test func aRightHistoryPasses() { #expect(rule { _ in } == nil) }

    @Test("a stale read is noticed, whatever index it claims", arguments: [3, 8, 9] as [UInt64])
    func staleRead(index: UInt64) {
        #expect(rule { $0[10] = Line(.get, 31...32, .read(10), at: index) } == "V13 linearizable")
    }

    @Test func wrongCompareAndSet() {
        #expect(rule { $0[3].outcome = .written } == "V13 linearizable")
        #expect(rule { $0[2].outcome = .mismatch(9) } == "V13 linearizable")
    }

    @Test func lostWrite() { #expect(rule { $0[0].index = nil } == "V11 durability") }

    @Test func failedAndDone() { #expect(rule { $0[7].index = 10 } == "V27 refused is not done") }

    @Test("a value is seen that the log says was never written")
    func phantom() { #expect(rule { $0[4].index = nil } == "V13 linearizable") }

    @Test("an answer whose value nobody wrote is noticed by the search, too")
    func unknownValue() { #expect(rule { $0[1].outcome = .read(99) } == "V13 linearizable") }

    @Test("a search that is given up does not pass")
    func undecided() { #expect(rule(stepCountMax: 3) { _ in } == "history undecided") }
}
