import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

@Suite("Entries that change no secret, and where they leave the state")
struct PositionTests {
    let keyring = Keyring.forTesting()

    /// Passes no-ops and memberships, and applies one mutation.
    private enum Entry {
        case noop(index: UInt64, term: UInt64)
        case membership([UInt8], index: UInt64, term: UInt64)
        case account(index: UInt64, term: UInt64)
    }

    private func state(_ entries: [Entry]) throws -> StoreFixture {
        let fixture = try StoreFixture(keyring: keyring)
        let store = fixture.store
        for entry in entries {
            try store.environment.write { txn in
                switch entry {
                case .noop(let index, let term): try store.passNoop(at: index, term: term, in: &txn)
                case .membership(let bytes, let index, let term): try store.passMembership(bytes, at: index, term: term, in: &txn)
                case .account(let index, let term):
                    let mutation = Mutation(
                        id: ProposalID(high: 1, low: index), account: StoreFixture.account, at: StoreFixture.start, keyTerm: 1,
                        command: .createAccount)
                    _ = try store.apply(mutation, at: index, term: term, in: &txn)
                }
            }
        }
        return fixture
    }

    private func hash(_ entries: Entry...) throws -> Digest { try state(entries).store.committedStateHash() }

    @Test("index and term are those of the last entry, whatever its kind")
    func position() throws {
        let fixture = try state([.noop(index: 1, term: 1), .account(index: 2, term: 1), .membership([1, 2], index: 4, term: 3)])
        let position = try fixture.store.committedPosition()
        #expect(position.index == 4)
        #expect(position.term == 3)
        #expect(try position.stateHash == fixture.store.committedStateHash())
        #expect(try fixture.store.committedIndex() == 4)
        let empty = try state([]).store.committedPosition()
        #expect(empty.index == 0 && empty.term == 0)
    }

    @Test("the last membership stays, with the index of its entry")
    func membership() throws {
        #expect(try state([.noop(index: 1, term: 1)]).store.committedMembership() == nil)
        let fixture = try state([.membership([1, 2], index: 1, term: 1), .membership([], index: 2, term: 1), .noop(index: 3, term: 2)])
        let kept = try #require(try fixture.store.committedMembership())
        #expect(kept.encoded == [] && kept.index == 2)
        let large = [UInt8](repeating: 7, count: Limits.membershipBytesMax)
        #expect(try state([.membership(large, index: 1, term: 1)]).store.committedMembership()?.encoded == large)
    }

    @Test("the state hash tells entries apart by index, term, kind and content")
    func hashes() throws {
        let hashes = [
            try hash(), try hash(.noop(index: 1, term: 1)), try hash(.noop(index: 2, term: 1)), try hash(.noop(index: 1, term: 2)),
            try hash(.membership([], index: 1, term: 1)), try hash(.membership([1], index: 1, term: 1)),
            try hash(.account(index: 1, term: 1)), try hash(.account(index: 1, term: 2)),
            try hash(.noop(index: 1, term: 1), .noop(index: 2, term: 1)),
        ]
        #expect(Set(hashes).count == hashes.count)
        #expect(try hash(.noop(index: 1, term: 1)) == hash(.noop(index: 1, term: 1)))
        #expect(try hash(.membership([1], index: 1, term: 1)) == hash(.membership([1], index: 1, term: 1)))
    }

    @Test("a position or a term that goes back is a bug of the caller")
    func order() async {
        await #expect(processExitsWith: .failure) { try PositionTests().pass(at: 1, term: 2) }
        await #expect(processExitsWith: .failure) { try PositionTests().pass(at: 2, term: 1) }
        #expect(throws: Never.self) { try pass(at: 2, term: 2) }
    }

    /// Passes a no-op behind one at index 1 and term 2.
    private func pass(at index: UInt64, term: UInt64) throws {
        _ = try state([.noop(index: 1, term: 2), .noop(index: index, term: term)])
    }
}
