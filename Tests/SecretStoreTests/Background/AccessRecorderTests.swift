import Keyring
import Logging
import Synchronization
import Testing

@testable import SecretStore

/// A log that keeps proposals until it is told what becomes of them.
final class HeldLog: ReplicatedLog {
    private struct Held {
        var mutation: Mutation
        var completion: @Sendable (Result<Outcome, ProposalFailure>) -> Void
    }

    private let held = Mutex<[Held]>([])
    private let waiters = Mutex<[@Sendable () -> Void]>([])

    func propose(_ mutation: Mutation, completion: @escaping @Sendable (Result<Outcome, ProposalFailure>) -> Void) {
        held.withLock { $0.append(Held(mutation: mutation, completion: completion)) }
    }

    func readBarrier(completion: @escaping @Sendable (Result<Void, ProposalFailure>) -> Void) { completion(.success(())) }
    var isReadableNow: Bool { true }

    func whenVisible(_ body: @escaping @Sendable () -> Void) { waiters.withLock { $0.append(body) } }

    var mutations: [Mutation] { held.withLock { $0.map(\.mutation) } }

    /// Answers everything that waits; a success is not visible before ``commit()``.
    func answer(_ result: Result<Outcome, ProposalFailure>) {
        let all = held.withLock { held in
            defer { held = [] }
            return held
        }
        for one in all { one.completion(result) }
    }

    func commit() {
        let all = waiters.withLock { waiters in
            defer { waiters = [] }
            return waiters
        }
        for waiter in all { waiter() }
    }
}

@Suite("Access dates, from the read to the state")
struct AccessRecorderTests {
    let fixture: StoreFixture
    let log = HeldLog()
    let recorder: AccessRecorder
    let today = StoreFixture.start

    init() throws {
        fixture = try StoreFixture()
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        let log = log
        recorder = AccessRecorder(log: log, keyTerm: 1, clock: { StoreFixture.start }, whenVisible: { log.whenVisible($0) })
    }

    private func read(_ version: String, at time: Timestamp) throws {
        recorder.record(try fixture.store.value(at: .of("s"), VersionSelector(id: VersionID(version))).get(), at: time)
    }

    /// Days of the secret and of its versions, as DescribeSecret would show them.
    private func shown() throws -> [UTCDay?] {
        var record = try #require(try fixture.record("s"))
        recorder.complete(&record)
        return [record.lastAccessedDay] + record.versions.map(\.lastAccessedDay)
    }

    /// What the log's apply thread would do with the proposals.
    private func applyProposals() throws {
        for mutation in log.mutations { try fixture.apply(mutation) }
        log.answer(.success(.done))
        log.commit()
    }

    @Test("a read is shown at once, proposed once, and then comes from the state")
    func story() throws {
        #expect(try shown() == [nil, nil, nil])
        for _ in 0..<3 { try read("v2", at: today) }
        #expect(try shown() == [today.day, nil, today.day])
        #expect(log.mutations.isEmpty)
        recorder.flush()
        recorder.flush()
        #expect(log.mutations.map(\.command) == [.recordAccess([AccessMark(secret: .of("s"), version: VersionID("v2"))], day: today.day)])
        #expect(log.mutations.map(\.account) == [StoreFixture.account])
        try read("v2", at: today)
        try applyProposals()
        #expect(try fixture.record("s")?.lastAccessedDay == today.day)
        #expect(try shown() == [today.day, nil, today.day])
        try read("v2", at: today)
        recorder.flush()
        #expect(log.mutations.isEmpty, "the day is stored")
        try read("v1", at: today)
        recorder.flush()
        #expect(log.mutations.count == 1, "the day of the other version is not")
    }

    @Test("a mark is shown until its mutation is visible, not only until it is applied")
    func visibleLater() throws {
        try read("v1", at: today)
        recorder.flush()
        log.answer(.success(.done))
        #expect(try shown() == [today.day, today.day, nil])
        log.commit()
        #expect(try shown() == [nil, nil, nil], "nothing was applied here, and the mark is gone")
    }

    @Test("what the log refuses is proposed again", arguments: [ProposalFailure.diskFull, .overloaded, .outcomeUnknown])
    func refused(failure: ProposalFailure) throws {
        try read("v1", at: today)
        recorder.flush()
        log.answer(.failure(failure))
        #expect(try shown()[0] == today.day)
        recorder.flush()
        #expect(log.mutations.count == 1)
    }

    @Test("a read on the next day replaces the mark of a day that is on its way")
    func nextDay() throws {
        let tomorrow = today.adding(days: 1)
        try read("v1", at: today)
        recorder.flush()
        try read("v1", at: tomorrow)
        try applyProposals()
        #expect(try shown()[0] == tomorrow.day)
        recorder.flush()
        #expect(log.mutations.map(\.command) == [.recordAccess([AccessMark(secret: .of("s"), version: VersionID("v1"))], day: tomorrow.day)])
        try read("v1", at: today)
        #expect(try shown()[0] == tomorrow.day, "dates do not go back")
    }

    @Test("marks are bounded, and go in mutations of bounded size by account")
    func bounds() throws {
        let value = try fixture.store.value(at: .of("s"), VersionSelector()).get()
        for number in 0..<(AccessRecorder.marksMax + 100) {
            var other = value
            other.versionID = VersionID("v\(number)")
            if number % 2 == 0 { other.arn.account = StoreFixture.otherAccount }
            recorder.record(other, at: today)
        }
        recorder.flush()
        let counts = log.mutations.map { mutation in
            if case .recordAccess(let marks, _) = mutation.command { marks.count } else { 0 }
        }
        #expect(counts.reduce(0, +) == AccessRecorder.marksMax)
        #expect(counts.allSatisfy { $0 <= Limits.accessMarksPerCommandMax })
        #expect(Set(log.mutations.map(\.account)) == [StoreFixture.account, StoreFixture.otherAccount])
    }

    @Test("a sweep proposes what is due, and waits for the answers before the next")
    func sweeper() throws {
        let sweeper = DeletionSweeper(store: fixture.store, log: log, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7)))
        sweeper.sweep(at: fixture.now.adding(days: 6))
        #expect(log.mutations.isEmpty)
        let due = fixture.now.adding(days: 7)
        sweeper.sweep(at: due)
        sweeper.sweep(at: due)
        #expect(log.mutations.map(\.command) == [.purgeDeletedSecret(.of("s"))])
        log.answer(.failure(.overloaded))
        sweeper.sweep(at: due)
        #expect(log.mutations.count == 1, "refused is not removed")
        try applyProposals()
        #expect(try fixture.record("s") == nil)
        sweeper.sweep(at: due)
        #expect(log.mutations.isEmpty)
    }
}
