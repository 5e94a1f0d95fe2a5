import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

@Suite("A proposal with a basis is executed at most once, however often and late it is repeated", .timeLimit(.minutes(1)))
struct ProposalAgeTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private func apply(_ mutation: Mutation, at index: UInt64) throws -> Outcome {
        try fixture.store.environment.write { txn in try fixture.store.apply(mutation, at: index, term: 1, in: &txn) }
    }

    private func mutation(basis: UInt64, _ command: Command = .createAccount) -> Mutation {
        Mutation(account: StoreFixture.account, at: fixture.now, keyTerm: 1, basis: basis, command: command)
    }

    @Test("the last position at which it is executed is that far behind its basis")
    func bound() throws {
        let last = 10 + Limits.proposalsRemembered
        #expect(try apply(mutation(basis: 10), at: last) == .done)
        #expect(try apply(mutation(basis: 10), at: last + 1) == .failed(.expired))
        #expect(try apply(mutation(basis: 12), at: last + 2) == .failed(.accountAlreadyExists))
    }

    @Test("a basis at or above the entry's own position is none that a proposer can have had")
    func basisAhead() throws {
        #expect(try apply(mutation(basis: 5), at: 5) == .failed(.expired))
        #expect(try apply(mutation(basis: .max), at: 6) == .failed(.expired))
        #expect(try apply(mutation(basis: 6), at: 7) == .done)
    }

    @Test("an expired proposal changes no secret, and is in the state hash")
    func hash() throws {
        let before = try fixture.dump().filter { $0.table == "accounts" }
        let hash = try fixture.store.committedStateHash()
        #expect(try apply(mutation(basis: 1), at: 2 + Limits.proposalsRemembered) == .failed(.expired))
        #expect(try fixture.dump().filter { $0.table == "accounts" } == before)
        #expect(try fixture.store.committedStateHash() != hash)
    }

    @Test("a proposal without a basis has no bound")
    func noBasis() throws {
        #expect(try apply(mutation(basis: 0), at: 3 * Limits.proposalsRemembered) == .done)
    }

    /// Each repetition would create a secret of another name, so that an execution shows whatever the rules of the domain say.
    @Test("random repetitions at random distances", arguments: 1...8 as ClosedRange<UInt64>)
    func atMostOnce(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        #expect(try apply(mutation(basis: 0, .createSecret(CreateSecret(secret: .of("s")))), at: 1) == .secret(SecretReference.of("s").arn))
        var index: UInt64 = 1
        var sent: [Mutation] = []
        var executed: [Int] = []
        var expired = 0
        for number in 0..<400 {
            // From the next position to twice the memory away.
            index += generator.chance(70) ? UInt64.random(in: 1...8, using: &generator) : .random(in: 1...Limits.proposalsRemembered / 4, using: &generator)
            let which: Int
            if !sent.isEmpty, generator.chance(60) {
                which = generator.chance(50) ? sent.count - 1 : Int.random(in: sent.indices, using: &generator)
            } else {
                which = sent.count
                let lag = generator.chance(80) ? UInt64.random(in: 1...100, using: &generator) : .random(in: 1...2 * Limits.proposalsRemembered, using: &generator)
                sent.append(mutation(basis: index > lag ? index - lag : index - 1, .createSecret(CreateSecret(secret: .of("n\(number)")))))
                executed.append(0)
            }
            var again = sent[which]
            // Another name: what tells a repetition is the id alone.
            again.command = .createSecret(CreateSecret(secret: .of("n\(number)")))
            let before = try fixture.store.record(at: .of("n\(number)")) != nil
            let outcome = try apply(again, at: index)
            let after = try fixture.store.record(at: .of("n\(number)")) != nil
            if after, !before { executed[which] += 1 }
            if outcome == .failed(.expired) { expired += 1 }
        }
        #expect(executed.allSatisfy { $0 <= 1 })
        #expect(executed.contains(1) && expired > 0, "the test meets both sides of the bound")
    }
}
