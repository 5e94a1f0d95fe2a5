import Raft
import Sessions
import Testing

@testable import Simulation

@Suite struct RegisterMachineTests {
    private static let founding = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)], featureLevel: 1)
    private static let one = SessionID(registeredAt: 1, nonce: 71)
    private static let two = SessionID(registeredAt: 2, nonce: 72)
    /// What opens these two.
    private static let openings: [RegisterCommand] = [.registration(nonce: 71), .registration(nonce: 72)]

    private static var small: SessionSettings {
        var settings = SessionSettings()
        settings.sessionCountMax = 2
        settings.windowWidth = 2
        settings.outcomeByteCountMax = 1
        return settings
    }

    private func empty(_ settings: SessionSettings = SessionSettings()) -> RegisterMachine {
        RegisterMachine(membership: Self.founding, sessions: settings)
    }

    private func write(
        _ session: SessionID, _ sequence: UInt64, key: UInt64 = 0, below mark: UInt64 = 1, _ action: RegisterCommand.Action
    ) -> RegisterCommand {
        .write(SessionRequest(session: session, sequence: sequence, answeredBelow: mark), key: key, action)
    }

    private func entry(_ command: RegisterCommand, at index: LogIndex, padding: Int = 0) -> Entry {
        let body = Entry.Body.command(Command(command.encoded(padding: padding), featureLevel: command.featureLevel))
        return Entry(id: EntryID(term: Term(1), index: index), body: body)
    }

    /// A machine after these commands, and what came of them.
    private func machine(_ commands: [RegisterCommand], _ settings: SessionSettings = SessionSettings()) -> (RegisterMachine, [ApplyResult?]) {
        var machine = empty(settings)
        var results: [ApplyResult?] = []
        for (position, command) in commands.enumerated() {
            results.append(machine.apply(entry(command, at: machine.applied.index.next, padding: position), level: 1))
        }
        return (machine, results)
    }

    @Test func putsAndComparesAndSets() {
        let (machine, results) = machine(Self.openings + [
            write(Self.one, 1, .put(10)), write(Self.one, 2, .compareAndSet(expected: 10, new: 11)),
            write(Self.two, 1, .compareAndSet(expected: 10, new: 12)), write(Self.two, 2, key: 5, .put(13)),
        ])
        #expect(machine.value(of: 0) == 11)
        #expect(machine.value(of: 5) == 13)
        #expect(machine.value(of: 6) == 0)
        #expect(results[3] == .command(.written, isRepeated: false))
        #expect(results[4] == .command(.mismatch(11), isRepeated: false))
    }

    @Test("commands are in the log as they were given", arguments: [0, 1, 300])
    func encoding(padding: Int) {
        let commands = Self.openings + [
            write(Self.one, 3, key: 9, below: 2, .put(1 << 60)), write(Self.two, 4, key: 8, below: 3, .compareAndSet(expected: 1, new: .max)),
        ]
        for command in commands { #expect(RegisterCommand(command.encoded(padding: padding), level: 1) == command) }
        #expect(RegisterCommand([], level: 1) == nil)
        #expect(RegisterCommand([9], level: 1) == nil)
    }

    @Test("replies come out of the session table as they went in", arguments: [.written, .mismatch(0), .mismatch(255), .mismatch(.max - 1)] as [CommandReply])
    func outcomes(reply: CommandReply) {
        #expect(CommandReply(outcome: reply.outcome) == reply)
    }

    // MARK: Sessions

    @Test("a session has the index of its registration for a name")
    func registration() {
        let (_, results) = machine(Self.openings)
        #expect(results == [.registered(.registered(Self.one, evicted: [])), .registered(.registered(Self.two, evicted: []))])
    }

    @Test("a repeated request changes nothing and has the same answer")
    func repeatedRequest() {
        let again = SessionRequest(session: Self.one, sequence: 1, answeredBelow: 1)
        let (machine, results) = machine(Self.openings + [write(Self.one, 1, .put(10)), write(Self.two, 1, .put(20)), write(Self.one, 1, .put(10))])
        #expect(machine.value(of: 0) == 20)
        #expect(results[4] == .command(.written, isRepeated: true))
        #expect(machine.reply(to: again) == .written)
        #expect(machine.reply(to: SessionRequest(session: Self.one, sequence: 2, answeredBelow: 1)) == nil)
    }

    @Test("one session more than the table holds: the one that was used longest ago goes, and executes nothing any more")
    func eviction() {
        let three = SessionID(registeredAt: 4, nonce: 73)
        let (machine, results) = machine(
            Self.openings + [write(Self.one, 1, .put(10)), .registration(nonce: 73), write(Self.two, 1, .put(20)), write(Self.one, 2, .put(30))], Self.small)
        #expect(results[3] == .registered(.registered(three, evicted: [Self.two])))
        #expect(results[4] == .refused(.noSession))
        #expect(results[5] == .command(.written, isRepeated: false))
        #expect(machine.value(of: 0) == 30)
    }

    @Test func theWindow() {
        let (_, results) = machine(
            Self.openings + [write(Self.one, 3, .put(10)), write(Self.one, 3, below: 2, .put(10)), write(Self.one, 1, .put(11))], Self.small)
        #expect(results[2] == .refused(.sequenceTooHigh))
        #expect(results[3] == .command(.written, isRepeated: false))
        #expect(results[4] == .refused(.sequenceTooLow))
    }

    @Test("a reply that there is no room for is forgotten, not that the command was executed")
    func forgottenReply() {
        let (machine, results) = machine(
            Self.openings + [
                write(Self.one, 1, .put(5_000)), write(Self.two, 1, .compareAndSet(expected: 1, new: 2)), write(Self.two, 1, .compareAndSet(expected: 5_000, new: 2)),
            ], Self.small)
        #expect(results[3] == .command(.mismatch(5_000), isRepeated: false))
        #expect(results[4] == .forgotten)
        #expect(machine.value(of: 0) == 5_000)
    }

    // MARK: Images

    @Test(arguments: [SessionSettings(), small])
    func anImageIsTheWholeState(settings: SessionSettings) throws {
        let (machine, _) = machine(
            Self.openings + [write(Self.one, 1, .put(10)), write(Self.two, 1, key: 3, .put(20)), write(Self.one, 2, key: 1, .compareAndSet(expected: 7, new: 8))], settings)
        let image = machine.image(maker: NodeID(2))
        let copy = try #require(RegisterMachine(image: image, sessions: settings))
        #expect(copy == machine)
        #expect(copy.sessions.rows.count == 2)
        #expect(machine.image(maker: NodeID(3)) != image)
        #expect(machine.image(maker: NodeID(2), leavesOutSessions: true) != image)
    }

    @Test("a machine from an image remembers what was executed")
    func sessionsTravelInImages() throws {
        let (machine, _) = machine(Self.openings + [write(Self.one, 1, .put(10))])
        var copy = try #require(RegisterMachine(image: machine.image(maker: NodeID(2)), sessions: SessionSettings()))
        #expect(copy.apply(entry(write(Self.one, 1, .put(10)), at: copy.applied.index.next), level: 1) == .command(.written, isRepeated: true))
    }

    @Test("an image that ends early is no image")
    func cutImage() {
        let (machine, _) = machine(Self.openings + [write(Self.one, 1, .put(10)), write(Self.two, 1, key: 3, .put(20))])
        let image = machine.image(maker: NodeID(1))
        for count in 0..<image.count { #expect(RegisterMachine(image: Array(image.prefix(count)), sessions: SessionSettings()) == nil) }
    }

    // MARK: The hash

    @Test("the hash tells machines apart that were given different things")
    func hashes() {
        let (a, _) = machine(Self.openings + [write(Self.one, 1, .put(10))])
        let (b, _) = machine(Self.openings + [write(Self.one, 1, .put(11))])
        let (c, _) = machine(Self.openings + [write(Self.one, 1, .put(10))])
        #expect(a.hash != b.hash)
        #expect(a == c)
    }

    @Test("the hash tells machines apart whose session tables differ")
    func hashOfSessions() {
        var whole = machine(Self.openings + [write(Self.one, 1, .put(10))]).0
        let bare = RegisterMachine(image: whole.image(maker: NodeID(1), leavesOutSessions: true), sessions: SessionSettings())
        guard var bare else {
            Issue.record("not an image")
            return
        }
        #expect(bare != whole)
        let next = entry(write(Self.one, 2, .put(11)), at: whole.applied.index.next)
        _ = whole.apply(next, level: 1)
        _ = bare.apply(next, level: 1)
        #expect(bare.hash != whole.hash)
    }

    // MARK: Levels and memberships

    @Test("an old program stops at a command that it does not know")
    func unknownCommand() {
        var machine = machine(Self.openings).0
        let before = machine
        let next = entry(write(Self.one, 1, .compareAndSet(expected: 0, new: 1)), at: machine.applied.index.next)
        #expect(machine.apply(next, level: 0) == nil)
        #expect(machine == before)
        #expect(machine.apply(next, level: 1) == .command(.written, isRepeated: false))
    }

    @Test func membershipsAreRemembered() {
        var machine = empty()
        let next = Membership(voters: [NodeID(1), NodeID(2)], learners: [NodeID(3)], generation: 1, featureLevel: 1)
        #expect(machine.apply(Entry(id: EntryID(term: Term(1), index: LogIndex(1)), body: .noop), level: 1) == .nothing)
        #expect(machine.apply(Entry(id: EntryID(term: Term(1), index: LogIndex(2)), body: .membership(next)), level: 1) == .nothing)
        #expect(machine.membership == MembershipRecord(index: LogIndex(2), membership: next))
        #expect(RegisterMachine(image: machine.image(maker: NodeID(1)), sessions: SessionSettings())?.membership == machine.membership)
    }
}
