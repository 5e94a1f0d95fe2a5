package import Raft

/// The state machine on disk, as LMDB with `MDB_NOMETASYNC` keeps it: two versions, of which a power cut may lose the newer
/// (`reference/raft.md` §2.7).
package struct Checkpoints: Hashable, Sendable {
    package private(set) var last: RegisterMachine
    package private(set) var previous: RegisterMachine

    init(_ state: RegisterMachine) {
        last = state
        previous = state
    }

    /// What survives any crash from here on. The log may be dropped behind it, not behind ``last``.
    package var durable: LogIndex { previous.applied.index }

    mutating func take(_ state: RegisterMachine) {
        previous = last
        last = state
    }

    /// A snapshot's state, synced before anything goes on.
    mutating func replace(with state: RegisterMachine) {
        last = state
        previous = state
    }

    /// A power cut took the last version.
    mutating func loseLast() { last = previous }
    #if CONCLAVE_MUTANTS
    /// A planted fault: the state of the previous version with the applied index of the last.
    mutating func keepApplied() {
        last = previous.pretending(applied: last.applied)
        previous = last
    }
    #endif

    /// A power cut came after the last version had reached the medium.
    mutating func keepLast() { previous = last }
}
