import Raft
import Testing

@testable import Simulation

@Suite struct RegisterMachineTests {
    private static let founding = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)], featureLevel: 1)

    /// A machine and the entries that it was given.
    private func machine(_ actions: [(session: UInt64, sequence: UInt64, key: UInt64, RegisterCommand.Action)]) -> (RegisterMachine, [ApplyResult?]) {
        var machine = RegisterMachine(membership: Self.founding, sessionMaximum: 4)
        var results: [ApplyResult?] = []
        for (position, action) in actions.enumerated() {
            let command = RegisterCommand(session: action.session, sequence: action.sequence, key: action.key, action: action.3)
            let id = EntryID(term: Term(1), index: LogIndex(UInt64(position) + 1))
            let body = Entry.Body.command(Command(command.encoded(padding: position), featureLevel: command.featureLevel))
            results.append(machine.apply(Entry(id: id, body: body), level: 1))
        }
        return (machine, results)
    }

    @Test func putsAndComparesAndSets() {
        let (machine, results) = machine([
            (1, 1, 0, .put(10)), (1, 2, 0, .compareAndSet(expected: 10, new: 11)), (2, 1, 0, .compareAndSet(expected: 10, new: 12)), (2, 2, 5, .put(13)),
        ])
        #expect(machine.value(of: 0) == 11)
        #expect(machine.value(of: 5) == 13)
        #expect(machine.value(of: 6) == 0)
        #expect(results[1] == .command(.written, isRepeated: false))
        #expect(results[2] == .command(.mismatch(11), isRepeated: false))
    }

    @Test("a repeated request changes nothing and has the same answer")
    func repeatedRequest() {
        let (machine, results) = machine([(1, 1, 0, .put(10)), (2, 1, 0, .put(20)), (1, 1, 0, .put(10))])
        #expect(machine.value(of: 0) == 20)
        #expect(results[2] == .command(.written, isRepeated: true))
        #expect(machine.reply(session: 1, sequence: 1) == .written)
    }

    @Test func anImageIsTheWholeState() throws {
        let (machine, _) = machine([(1, 1, 0, .put(10)), (2, 1, 3, .put(20)), (1, 2, 1, .compareAndSet(expected: 7, new: 8))])
        let image = machine.image(maker: NodeID(2))
        #expect(RegisterMachine(image: image, sessionMaximum: 4) == machine)
        #expect(machine.image(maker: NodeID(3)) != image)
    }

    @Test("an image that ends early is no image")
    func cutImage() {
        let (machine, _) = machine([(1, 1, 0, .put(10)), (2, 1, 3, .put(20))])
        let image = machine.image(maker: NodeID(1))
        for count in 0..<image.count { #expect(RegisterMachine(image: Array(image.prefix(count)), sessionMaximum: 4) == nil) }
    }

    @Test("the hash tells machines apart that were given different things")
    func hashes() {
        let (a, _) = machine([(1, 1, 0, .put(10))])
        let (b, _) = machine([(1, 1, 0, .put(11))])
        let (c, _) = machine([(1, 1, 0, .put(10))])
        #expect(a.hash != b.hash)
        #expect(a == c)
    }

    @Test("an old program stops at a command that it does not know")
    func unknownCommand() {
        var machine = RegisterMachine(membership: Self.founding, sessionMaximum: 4)
        let command = RegisterCommand(session: 1, sequence: 1, key: 0, action: .compareAndSet(expected: 0, new: 1))
        let entry = Entry(id: EntryID(term: Term(1), index: LogIndex(1)), body: .command(Command(command.encoded(padding: 0), featureLevel: 1)))
        #expect(machine.apply(entry, level: 0) == nil)
        #expect(machine.applied == .zero)
        #expect(machine.apply(entry, level: 1) == .command(.written, isRepeated: false))
    }

    @Test func membershipsAreRemembered() {
        var machine = RegisterMachine(membership: Self.founding, sessionMaximum: 4)
        let next = Membership(voters: [NodeID(1), NodeID(2)], learners: [NodeID(3)], generation: 1, featureLevel: 1)
        #expect(machine.apply(Entry(id: EntryID(term: Term(1), index: LogIndex(1)), body: .noop), level: 1) == .nothing)
        #expect(machine.apply(Entry(id: EntryID(term: Term(1), index: LogIndex(2)), body: .membership(next)), level: 1) == .nothing)
        #expect(machine.membership == MembershipRecord(index: LogIndex(2), membership: next))
        #expect(RegisterMachine(image: machine.image(maker: NodeID(1)), sessionMaximum: 4)?.membership == machine.membership)
    }
}
