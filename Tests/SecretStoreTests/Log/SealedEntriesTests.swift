import Logging
import Synchronization
import Testing

@testable import SecretStore

@Suite("The apply thread of a replicated log")
struct SealedEntriesTests {
    @Test("entries that come while the disk is full are opened, applied and told about when there is room", .timeLimit(.minutes(1)))
    func stall() async throws {
        let directory = try LogDirectory()
        let machine = try RecordingStateMachine(path: directory.state)
        machine.fullDiskFailures.store(3, ordering: .relaxed)
        let told = Mutex<[ProposalID]>([])
        let applier = Applier(
            stateMachine: machine, appliedIndex: 0, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            listener: Applier.Listener(applied: { id, _ in told.withLock { $0.append(id) } }), fatal: { Issue.record("\($0)") })
        let ids = (1...40).map { ProposalID(high: 0, low: $0) }
        for (index, id) in zip(UInt64(1)..., ids) {
            let mutation = Mutation(id: id, account: StoreFixture.account, at: StoreFixture.start, keyTerm: 1, command: .createAccount)
            let encoded = mutation.encode()
            applier.enqueue(Applier.Entry(index: index, term: 1, content: .sealed(encoded), byteCount: encoded.count))
        }
        while applier.appliedIndex < 40 { await Task.yield() }
        await withCheckedContinuation { continuation in applier.whenEverythingIsVisible { continuation.resume() } }
        applier.close()
        #expect(Set(told.withLock { $0 }) == Set(ids))
        #expect(try machine.committedIndex() == 40)
    }
}
