import Raft
import Sessions
import Testing

@testable import Simulation

/// Sessions that come and go as they must, and each way in which they must not.
@Suite struct SessionLedgerTests {
    private let one = SessionID(registeredAt: 1, nonce: 1)
    private let two = SessionID(registeredAt: 2, nonce: 2)
    private let three = SessionID(registeredAt: 9, nonce: 3)
    private let done = ApplyResult.command(.written, isRepeated: false)

    private typealias Step = (session: SessionID, index: UInt64, result: ApplyResult)

    /// Session 1 is used after session 2 was opened, so that session 2 is the one to go.
    private var beginning: [Step] {
        [(one, 1, .registered(.registered(one, evicted: []))), (two, 2, .registered(.registered(two, evicted: []))), (one, 3, done)]
    }

    private func isKept(_ steps: [Step]) -> Bool {
        var ledger = SessionLedger()
        do throws(BrokenRule) {
            for step in steps { try ledger.applied(step.session, at: LogIndex(step.index), step.result) }
            return true
        } catch {
            #expect(error.rule == "V12 exactly once")
            return false
        }
    }

    @Test func sessionsComeAndGo() {
        #expect(isKept(beginning + [
            (three, 9, .registered(.registered(three, evicted: [two]))), (two, 10, .refused(.noSession)), (one, 11, .refused(.sequenceTooLow)),
            (one, 12, .forgotten),
        ]))
    }

    @Test func theOneThatWasUsedLongestAgoGoes() {
        #expect(!isKept(beginning + [(three, 9, .registered(.registered(three, evicted: [one])))]))
    }

    @Test("what is repeated or forgotten counts as use")
    func use() {
        #expect(!isKept(beginning + [(two, 4, .forgotten), (three, 9, .registered(.registered(three, evicted: [two])))]))
        #expect(isKept(beginning + [(two, 4, .forgotten), (three, 9, .registered(.registered(three, evicted: [one])))]))
        // What is refused does not.
        #expect(isKept(beginning + [(two, 4, .refused(.sequenceTooHigh)), (three, 9, .registered(.registered(three, evicted: [two])))]))
    }

    @Test func aSessionThatIsGoneExecutesNothing() {
        let gone: [Step] = beginning + [(three, 9, .registered(.registered(three, evicted: [two])))]
        #expect(!isKept(gone + [(two, 10, done)]))
        #expect(!isKept(gone + [(two, 10, .refused(.sequenceTooHigh))]))
        #expect(!isKept(gone + [(one, 10, .registered(.registered(one, evicted: [two])))]))
    }

    @Test func aSessionThatIsThereIsKnown() {
        #expect(!isKept(beginning + [(one, 4, .refused(.noSession))]))
        #expect(!isKept(beginning + [(one, 4, .registered(.known(one)))]))
    }
}
