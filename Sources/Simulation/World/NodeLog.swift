import Raft
import SimulatedDisk
import WriteAheadLog

/// The log of one life of a node: the real code, over the node's simulated disk.
struct NodeLog: LogView {
    private let log: WriteAheadLog<SimulatedDirectory>

    init(_ log: WriteAheadLog<SimulatedDirectory>) { self.log = log }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        log.entries(from: first, through: last, byteCountMax: byteCountMax)
    }

    func append(_ writes: [LogWrite]) throws(LogFault) { try log.append(writes) }
    func sync() throws(LogFault) -> WriteSequence? { try log.sync() }
    func mark() throws(LogFault) { try log.mark() }
    func compact(before index: LogIndex) throws(LogFault) { try log.compact(before: index) }
    func prefetch(from index: LogIndex) throws(LogFault) { try log.prefetch(from: index) }
}

/// Random numbers that one life of a log takes, now and later.
private final class Nonces {
    private var rng: SplitMix

    init(_ seed: UInt64) { rng = SplitMix(seed: seed) }

    func next() -> UInt64 { rng.next() }
}

extension World {
    private static let cluster: UInt64 = 0xc0c1a7e

    /// A new process opens the log that it finds on the disk.
    func openLog(disk: SimulatedDisk, id: NodeID) throws(LogProblem) -> (log: NodeLog, recovered: RecoveredLog) {
        try openLog(disk: disk, id: id, chance: &rng)
    }

    /// - Parameter chance: Gives the segments' nonces.
    func openLog(disk: SimulatedDisk, id: NodeID, chance: inout SplitMix) throws(LogProblem) -> (log: NodeLog, recovered: RecoveredLog) {
        var settings = LogSettings()
        settings.segmentByteCount = mix.segmentByteCount
        settings.cacheByteCount = mix.logCacheByteCount
        settings.prefetchByteCount = 4_096
        #if CONCLAVE_MUTANTS
        if case .log(let fault)? = mutant { settings.plantedFault = fault }
        #endif
        let nonces = Nonces(chance.next())
        let (log, recovered) = try WriteAheadLog.open(
            disk.open(), identity: LogIdentity(cluster: Self.cluster, node: id.raw), settings: settings, nonces: { nonces.next() })
        return (NodeLog(log), recovered)
    }

    /// Puts together what the log and the state machine hold.
    ///
    /// - Parameter founding: In force when the log knows no membership at or before its beginning.
    func merge(_ log: RecoveredLog, _ machine: RegisterMachine, _ founding: Membership) -> RecoveredState {
        var state = RecoveredState()
        state.hardState = log.hardState
        state.compactedThrough = log.compactedThrough
        state.termRuns = log.termRuns
        state.lastIndex = log.lastIndex
        state.memberships = log.memberships
        if log.memberships.first.map({ $0.index > log.compactedThrough.index }) ?? true {
            // What a node was founded with is in no entry.
            state.memberships.insert(MembershipRecord(index: .zero, membership: founding), at: 0)
        }
        if isPlanted(.membershipFromCommittedStore) { state.memberships = [machine.membership] }
        state.commit = max(log.commit, machine.applied.index)
        state.applied = machine.applied.index
        state.isDamaged = log.isDamaged
        return state
    }
}
