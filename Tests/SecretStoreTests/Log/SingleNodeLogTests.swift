import Foundation
import Keyring
import LMDB
import Synchronization
import Testing

@testable import SecretStore

@Suite("The log of a single node", .timeLimit(.minutes(1)))
struct SingleNodeLogTests {
    let keyring = Keyring.forTesting()
    let directory: LogDirectory

    init() throws { directory = try LogDirectory() }

    @Test("every acknowledged mutation is in the state after a restart, in order and once")
    func restart() async throws {
        for round in 0..<3 as Range<UInt64> {
            let harness = try LogHarness(directory, keyring: keyring)
            await harness.propose((round * 200 + 1)...(round * 200 + 200))
            harness.log.close()
            #expect(try harness.machine.committed().count == Int(round + 1) * 200)
        }
        let harness = try LogHarness(directory, keyring: keyring)
        #expect(Set(try harness.machine.committed()) == Set(1...600))
        harness.log.close()
    }

    @Test("a state that is older than the log is brought up to it")
    func replay() async throws {
        let first = try LogHarness(directory, keyring: keyring)
        await first.propose(1...50)
        first.log.close()
        let before = try first.machine.committed()
        // The state of another, empty node with this node's log: what a crash leaves whose last commits were lost.
        let other = try LogDirectory()
        for segment in try directory.segments {
            try FileManager.default.copyItem(atPath: segment, toPath: other.log + "/" + URL(fileURLWithPath: segment).lastPathComponent)
        }
        let second = try LogHarness(other, keyring: keyring)
        #expect(try second.machine.committed() == before)
        #expect(await second.propose(LogHarness.mutation(51)) == .success(.done))
        second.log.close()
        #expect(try second.machine.committed() == before + [51])
    }

    @Test("proposals that wait together share one synchronisation")
    func groupCommit() async throws {
        let files = FaultyFileSystem()
        let harness = try LogHarness(directory, keyring: keyring, files: files)
        await harness.propose(1...2_000)
        harness.log.close()
        #expect(files.faults.withLock(\.synchronizations) < 1_000)
        #expect(try harness.machine.committed().count == 2_000)
    }

    @Test("a full disk refuses proposals; the node goes on and takes them again when there is room")
    func diskFull() async throws {
        let files = FaultyFileSystem()
        files.set { $0.createErrno = ENOSPC }
        let harness = try LogHarness(directory, keyring: keyring, files: files)
        #expect(await harness.propose(LogHarness.mutation(1)) == .failure(.diskFull))
        files.set { $0.createErrno = nil }
        #expect(await harness.propose(LogHarness.mutation(2)) == .success(.done))
        files.set { $0.writeErrno = ENOSPC }
        #expect(await harness.propose(LogHarness.mutation(3)) == .failure(.diskFull))
        files.set { $0.writeErrno = nil }
        #expect(await harness.propose(LogHarness.mutation(4)) == .success(.done))
        harness.log.close()
        #expect(try harness.machine.committed() == [2, 4])
        #expect(harness.fatalSentence.withLock { $0 } == nil)
    }

    @Test("a disk that fills up while a segment is begun is no reason to stop")
    func diskFullAtSegmentStart() async throws {
        let files = FaultyFileSystem()
        files.set { $0.writeErrno = ENOSPC }
        let harness = try LogHarness(directory, keyring: keyring, files: files)
        #expect(await harness.propose(LogHarness.mutation(1)) == .failure(.diskFull))
        files.set { $0.writeErrno = nil }
        #expect(await harness.propose(LogHarness.mutation(2)) == .success(.done))
        harness.log.close()
        #expect(try harness.machine.committed() == [2])
        #expect(harness.fatalSentence.withLock { $0 } == nil)
    }

    @Test("below the reserve of free space proposals are refused before they reach the disk")
    func reserve() async throws {
        let files = FaultyFileSystem()
        files.set { $0.free = 999 }
        let harness = try LogHarness(directory, keyring: keyring, files: files) { $0.reserveFreeByteCount = 1_000 }
        #expect(await harness.propose(LogHarness.mutation(1)) == .failure(.diskFull))
        #expect(files.faults.withLock(\.creations) == 0)
        files.set { $0.free = 1_000 }
        while await harness.propose(LogHarness.mutation(2)) != .success(.done) {}
        harness.log.close()
        #expect(try harness.machine.committed() == [2])
    }

    @Test("a failed synchronisation stops the node and acknowledges nothing", arguments: [EIO, ENOSPC])
    func failedSynchronization(errno: CInt) async throws {
        let files = FaultyFileSystem()
        let harness = try LogHarness(directory, keyring: keyring, files: files)
        #expect(await harness.propose(LogHarness.mutation(1)) == .success(.done))
        files.set { $0.synchronizeErrno = errno }
        harness.log.propose(LogHarness.mutation(2)) { result in Issue.record("answered with \(result) although nothing is known") }
        while harness.fatalSentence.withLock({ $0 }) == nil { await Task.yield() }
        #expect(harness.fatalSentence.withLock { $0 }?.contains("synchronize") == true)
        harness.log.close()
        #expect(try harness.machine.committed() == [1])
    }

    @Test("too much in flight is refused, and what was taken is still answered")
    func overload() async throws {
        let harness = try LogHarness(directory, keyring: keyring) { $0.proposalsInFlightMax = 4 }
        let results = await withTaskGroup(of: Result<Outcome, ProposalFailure>.self) { group in
            for number in 1...500 as ClosedRange<UInt64> { group.addTask { await harness.propose(LogHarness.mutation(number)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let accepted = results.filter { $0 == .success(.done) }.count
        #expect(accepted >= 4)
        #expect(results.filter { $0 == .failure(.overloaded) }.count == 500 - accepted)
        #expect(await harness.propose(LogHarness.mutation(501)) == .success(.done))
        harness.log.close()
        #expect(try harness.machine.committed().count == accepted + 1)
    }

    @Test("an entry that is larger than a segment gets one of its own size")
    func largeEntry() async throws {
        do {
            let harness = try LogHarness(directory, keyring: keyring)
            for number in 1...3 as ClosedRange<UInt64> {
                #expect(await harness.propose(LogHarness.mutation(number, name: "n", policyByteCount: 80_000)) == .success(.done))
            }
            harness.log.close()
        }
        let again = try LogHarness(directory, keyring: keyring)
        #expect(try again.machine.committed() == [1, 2, 3])
        again.log.close()
    }

    @Test("after the close proposals are refused as on a node that stops")
    func closed() async throws {
        let harness = try LogHarness(directory, keyring: keyring)
        harness.log.close()
        #expect(await harness.propose(LogHarness.mutation(1)) == .failure(.stopping))
    }

    @Test("segments whose entries are in a durable checkpoint are removed, and no other")
    func removal() async throws {
        // Together more than ten segments of 64 KiB.
        let groups = 1...20 as ClosedRange<UInt64>
        let groupSize = 8 as UInt64
        do {
            let harness = try LogHarness(directory, keyring: keyring)
            for group in groups {
                await withTaskGroup(of: Void.self) { tasks in
                    for part in 0..<groupSize {
                        let mutation = LogHarness.mutation(group * 100 + part, name: "n", policyByteCount: 5_000)
                        tasks.addTask { _ = await harness.propose(mutation) }
                    }
                }
                await harness.everythingVisible()
            }
            harness.log.close()
        }
        #expect(try directory.segments.count <= 2)
        let again = try LogHarness(directory, keyring: keyring)
        #expect(try again.machine.committed().count == groups.count * Int(groupSize))
        again.log.close()
    }
}

@Suite("A damaged log", .timeLimit(.minutes(1)))
struct LogDamageTests {
    let keyring = Keyring.forTesting()
    let directory: LogDirectory

    init() throws { directory = try LogDirectory() }

    /// Writes one group per mutation and returns the segment's path and where its groups begin.
    private func writtenGroups(_ count: UInt64) async throws -> (segment: String, starts: [Int], end: Int) {
        let harness = try LogHarness(directory, keyring: keyring)
        for number in 1...count { _ = await harness.propose(LogHarness.mutation(number)) }
        harness.log.close()
        let segment = try #require(try directory.segments.first)
        let content = try PosixFileSystem().read(segment)
        var starts: [Int] = []
        var offset = LogFrame.alignment
        while case .frame(let frame) = LogFrame.find(in: content, at: offset) {
            starts.append(offset)
            offset += frame.byteCount
        }
        #expect(starts.count == Int(count))
        return (segment, starts, offset)
    }

    private func emptyState() throws {
        try FileManager.default.removeItem(atPath: directory.state)
        try FileManager.default.createDirectory(atPath: directory.state, withIntermediateDirectories: true)
    }

    private func change(_ path: String, _ change: (inout Data) -> Void) throws {
        var content = try Data(contentsOf: URL(fileURLWithPath: path))
        change(&content)
        try content.write(to: URL(fileURLWithPath: path))
    }

    @Test("a last group that is torn at any byte is cut off, and the rest is there")
    func tornTail() async throws {
        let (segment, starts, end) = try await writtenGroups(4)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment))
        let last = try #require(starts.last)
        for cut in stride(from: last, to: end, by: 13) {
            try change(segment) { content in
                content = whole
                for i in cut..<end { content[i] = 0 }
            }
            try emptyState()
            let survivors: [UInt64]
            do {
                let harness = try LogHarness(directory, keyring: keyring)
                survivors = try harness.machine.committed()
                // A cut inside the padding at the end of the group takes nothing away.
                #expect(survivors == [1, 2, 3] || (survivors == [1, 2, 3, 4] && whole[cut..<end].allSatisfy { $0 == 0 }))
                #expect(await harness.propose(LogHarness.mutation(5)) == .success(.done))
                harness.log.close()
                #expect(try harness.machine.committed() == survivors + [5])
            }
            let again = try LogHarness(directory, keyring: keyring)
            #expect(try again.machine.committed() == survivors + [5])
            again.log.close()
        }
    }

    @Test("damage before later groups is refused, wherever it is")
    func corruption() async throws {
        let (segment, starts, _) = try await writtenGroups(4)
        let whole = try Data(contentsOf: URL(fileURLWithPath: segment))
        for offset in [starts[1], starts[1] + 3, starts[1] + 12, starts[1] + 20, starts[1] + 40, starts[0] + 4, 0] {
            try change(segment) { content in
                content = whole
                content[offset] ^= 0x40
            }
            try emptyState()
            #expect(throws: LogDamage.self, "byte \(offset)") { try LogHarness(directory, keyring: keyring) }
        }
        try change(segment) { content in
            content = whole
            for i in starts[1]..<starts[2] { content[i] = 0 }
        }
        #expect(throws: LogDamage.self, "a hole of zeros") { try LogHarness(directory, keyring: keyring) }
    }

    @Test("a log that ends before the state does is refused")
    func lostLog() async throws {
        let (segment, starts, end) = try await writtenGroups(4)
        try change(segment) { content in
            for i in starts[2]..<end { content[i] = 0 }
        }
        #expect(throws: LogDamage.self) { try LogHarness(directory, keyring: keyring) }
        try FileManager.default.removeItem(atPath: segment)
        #expect(throws: LogDamage.self) { try LogHarness(directory, keyring: keyring) }
    }

    @Test("the log of another cluster is refused")
    func foreignLog() async throws {
        _ = try await writtenGroups(1)
        try emptyState()
        #expect(throws: KeyringError.self) { try LogHarness(directory, keyring: .forTesting()) }
    }

    @Test("frames come back as they were, and no bytes trap")
    func frames() {
        let entries: [[UInt8]] = [[], [1], Array(repeating: 7, count: 2_000)]
        let frame = LogFrame.encode(entries, firstIndex: 9)
        #expect(frame.count % LogFrame.alignment == 0)
        #expect(LogFrame.find(in: frame, at: 0) == .frame(LogFrame.Decoded(firstIndex: 9, entries: entries, byteCount: frame.count)))
        for i in 0..<(LogFrame.headerByteCount + 12) {
            var altered = frame
            altered[i] ^= 0x80
            #expect(LogFrame.find(in: altered, at: 0) == .damaged)
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if case .frame = LogFrame.find(in: bytes, at: 0) { Issue.record("random bytes were taken for a frame") }
        }
    }
}

@Suite("The applier", .timeLimit(.minutes(1)))
struct ApplierTests {
    let keyring = Keyring.forTesting()
    let directory: LogDirectory

    init() throws { directory = try LogDirectory() }

    private func key(_ name: String) throws -> SecretKey {
        SecretKey(account: try #require(AccountID("123456789012")), name: try #require(SecretName(name)))
    }

    @Test("a reader of a changed secret sees the change as soon as the call returns")
    func readYourWrites() async throws {
        let harness = try LogHarness(directory, keyring: keyring)
        for number in 1...50 as ClosedRange<UInt64> {
            _ = await harness.propose(LogHarness.mutation(number, name: "mine"))
            await harness.visible(try key("mine"))
            #expect(try harness.machine.committedIndex() == number)
        }
        harness.log.close()
    }

    @Test("readers of other secrets do not wait for the commit")
    func unrelatedReaders() throws {
        let visibility = Visibility(visibleIndex: 4)
        let mine = try key("mine")
        visibility.applied(5, touching: mine)
        #expect(!visibility.isVisible(mine))
        #expect(visibility.isVisible(try key("other")))
        #expect(!visibility.isVisible(nil))
        let woken = Counter()
        let wait = visibility.wait(for: mine) { woken.increment() }
        #expect(wait == .begun && visibility.hasWaiters && woken.value == 0)
        visibility.committed()
        #expect(woken.value == 1 && visibility.isVisible(mine) && visibility.isVisible(nil) && !visibility.hasWaiters)
        #expect(visibility.visibleIndex == 5)
    }

    @Test("a full disk tells those who would rather know than wait; the others wait on")
    func stalledReaders() throws {
        let visibility = Visibility(visibleIndex: 4)
        let mine = try key("mine")
        visibility.applied(5, touching: mine)
        let (shown, told) = (Counter(), Counter())
        #expect(visibility.wait(for: mine) { shown.increment() } == .begun)
        #expect(visibility.wait(for: mine, { shown.increment() }, onStall: { told.increment() }) == .begun)
        visibility.stalled()
        #expect(told.value == 1 && shown.value == 0 && visibility.hasWaiters)
        #expect(visibility.wait(for: mine, { shown.increment() }, onStall: { told.increment() }) == .stalled)
        #expect(visibility.wait(for: try key("other"), { shown.increment() }, onStall: { told.increment() }) == .notNeeded)
        visibility.committed()
        #expect(told.value == 1 && shown.value == 1)
        visibility.applied(6, touching: mine)
        #expect(visibility.wait(for: mine, { shown.increment() }, onStall: { told.increment() }) == .begun)
        visibility.committed()
        #expect(told.value == 1 && shown.value == 2)
    }

    @Test("housekeeping without a secret still delays readers of lists until it is committed")
    func lists() throws {
        let visibility = Visibility(visibleIndex: 0)
        visibility.applied(1, touching: nil)
        #expect(!visibility.isVisible(nil))
        visibility.committed()
        #expect(visibility.isVisible(nil))
    }

    @Test("a full disk while applying leaves the outcome unknown, loses nothing, and refuses more until there is room")
    func diskFullWhileApplying() async throws {
        let harness = try LogHarness(directory, keyring: keyring)
        var number: UInt64 = 0
        for _ in 1...4 {
            number += 1
            #expect(await harness.propose(LogHarness.mutation(number, name: "mine")) == .success(.done))
            harness.machine.fullDiskFailures.store(3, ordering: .relaxed)
            // All of these are durable, so none may be lost; none is answered as done before it is.
            let unanswered = await withTaskGroup(of: Result<Outcome, ProposalFailure>.self) { group in
                for more in (number + 1)...(number + 5) { group.addTask { await harness.propose(LogHarness.mutation(more, name: "mine")) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            number += 5
            #expect(unanswered.contains(.failure(.outcomeUnknown)))
            #expect(unanswered.allSatisfy { $0 == .failure(.outcomeUnknown) || $0 == .failure(.diskFull) || $0 == .success(.done) })
            while harness.log.applier.isStalled { await Task.yield() }
            await harness.visible(try key("mine"))
        }
        harness.log.close()
        let committed = try harness.machine.committed()
        #expect(committed.count == Set(committed).count, "applied once each")
        for round in 0..<4 as Range<UInt64> { #expect(committed.contains(round * 6 + 1)) }
        #expect(harness.fatalSentence.withLock { $0 } == nil)
    }

    @Test("entries that arrive while the disk is full are applied in order when there is room")
    func orderAfterStall() async throws {
        let harness = try LogHarness(directory, keyring: keyring)
        harness.machine.fullDiskFailures.store(2, ordering: .relaxed)
        await harness.propose(1...300)
        while harness.log.applier.isStalled { await Task.yield() }
        harness.log.close()
        // The machine itself traps on a gap; what was refused is not there, what was taken is there once.
        let committed = try harness.machine.committed()
        #expect(committed.count == Set(committed).count && !committed.isEmpty)
    }

    @Test("a stop while the disk is full leaves the entries to the log")
    func stopWhileFull() async throws {
        let harness = try LogHarness(directory, keyring: keyring)
        #expect(await harness.propose(LogHarness.mutation(1)) == .success(.done))
        harness.machine.fullDiskFailures.store(.max, ordering: .relaxed)
        let answer = Task { await harness.propose(LogHarness.mutation(2)) }
        while harness.machine.fullDiskFailures.load(ordering: .relaxed) == .max { await Task.yield() }
        harness.log.close()
        #expect(await answer.value == .failure(.outcomeUnknown))
    }
}

/// Counts from any thread.
private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    func increment() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
