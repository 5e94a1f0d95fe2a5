import Raft
import Sessions
import Testing

@testable import Simulation

/// What survives a crash beside the log: checkpoints and staged images.
@Suite struct StateDiskTests {
    private func machine(appliedThrough count: UInt64) -> RegisterMachine {
        var machine = RegisterMachine(membership: Membership(voters: [NodeID(1)]), sessions: SessionSettings())
        for index in 1...count { _ = machine.apply(Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .noop), level: 1) }
        return machine
    }

    @Test("only the checkpoint before the last survives every crash")
    func twoCheckpoints() {
        var checkpoints = Checkpoints(machine(appliedThrough: 1))
        checkpoints.take(machine(appliedThrough: 5))
        #expect(checkpoints.durable == LogIndex(1))
        checkpoints.take(machine(appliedThrough: 9))
        #expect(checkpoints.durable == LogIndex(5))
        checkpoints.loseLast()
        #expect(checkpoints.last.applied.index == LogIndex(5))
        #expect(checkpoints.durable == LogIndex(5))
    }

    @Test func aCheckpointThatReachedTheMediumIsDurable() {
        var checkpoints = Checkpoints(machine(appliedThrough: 1))
        checkpoints.take(machine(appliedThrough: 5))
        checkpoints.keepLast()
        #expect(checkpoints.durable == LogIndex(5))
    }

    @Test("a fetch goes on where it had come to")
    func resumedFetch() {
        let image = SnapshotImage(last: EntryID(term: Term(1), index: LogIndex(4)), fingerprint: 9)
        let meta = SnapshotMeta(image: image, membership: Membership(voters: [NodeID(1)]), membershipIndex: .zero, byteCount: 6)
        var store = SnapshotStore()
        store.begin(meta, offset: 0)
        #expect(store.unfinished?.offset == 0)
        store.store(SnapshotChunk(image: image, offset: 0, bytes: [1, 2], isLast: false))
        store.store(SnapshotChunk(image: image, offset: 4, bytes: [5, 6], isLast: true))
        #expect(store.unfinished?.offset == 2)
        store.begin(meta, offset: 2)
        store.store(SnapshotChunk(image: image, offset: 2, bytes: [3, 4, 5, 6], isLast: true))
        #expect(store.staged?.bytes == [1, 2, 3, 4, 5, 6])
        #expect(store.unfinished == nil)
        store.discard(image)
        #expect(store.staged == nil)
    }
}
