internal import Synchronization

/// Which secrets have changes that were answered but are not yet in a committed transaction, where readers would miss them.
///
/// Safe from any thread. Readers of other secrets pay one atomic load.
final class Visibility: Sendable {
    typealias Waiter = @Sendable () -> Void

    private struct State {
        /// Position of the newest answered change of each secret since the last commit.
        var touched: [SecretKey: UInt64] = [:]
        var appliedIndex: UInt64 = 0
        var visibleIndex: UInt64 = 0
        var waiters: [Waiting] = []
        /// Whether a full disk keeps the next commit away.
        var isStalled = false
    }

    private struct Waiting {
        let waiter: Waiter
        /// Called in place of `waiter` when the commit may be long in coming.
        let onStall: Waiter?
    }

    private let state: Mutex<State>
    private let isBehind = Atomic<Bool>(false)

    init(visibleIndex: UInt64) {
        state = Mutex(State(appliedIndex: visibleIndex, visibleIndex: visibleIndex))
    }

    /// The mutation at `index` has been applied and is about to be answered.
    func applied(_ index: UInt64, touching secret: SecretKey?) {
        state.withLock {
            $0.appliedIndex = index
            if let secret { $0.touched[secret] = index }
            isBehind.store(true, ordering: .sequentiallyConsistent)
        }
    }

    /// Everything applied so far is in a committed transaction now.
    func committed() {
        let ready = state.withLock { state in
            state.visibleIndex = state.appliedIndex
            state.touched.removeAll(keepingCapacity: state.touched.count < 1_024)
            isBehind.store(false, ordering: .sequentiallyConsistent)
            state.isStalled = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiting in ready { waiting.waiter() }
    }

    /// The next commit waits for space on the disk: whoever does not want to wait for that is told.
    func stalled() {
        let impatient = state.withLock { state in
            state.isStalled = true
            defer { state.waiters.removeAll { $0.onStall != nil } }
            return state.waiters.compactMap(\.onStall)
        }
        for onStall in impatient { onStall() }
    }

    /// Position up to which readers see everything.
    var visibleIndex: UInt64 { state.withLock(\.visibleIndex) }

    /// Whether a reader waits for a commit.
    var hasWaiters: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Whether a transaction that starts now shows every answered change of `secret`; of everything, if `nil`.
    func isVisible(_ secret: SecretKey?) -> Bool {
        guard isBehind.load(ordering: .sequentiallyConsistent) else { return true }
        return state.withLock { Self.awaitedIndex(of: secret, in: $0) == nil }
    }

    enum Wait { case notNeeded, begun, stalled }

    /// Keeps `waiter` until the next commit if a change of `secret` is not visible yet.
    ///
    /// - Parameter onStall: Called in its place if the disk fills up meanwhile; when it is full already, neither is kept.
    func wait(for secret: SecretKey?, _ waiter: @escaping Waiter, onStall: Waiter? = nil) -> Wait {
        state.withLock { state in
            guard Self.awaitedIndex(of: secret, in: state) != nil else { return .notNeeded }
            guard !state.isStalled || onStall == nil else { return .stalled }
            state.waiters.append(Waiting(waiter: waiter, onStall: onStall))
            return .begun
        }
    }

    private static func awaitedIndex(of secret: SecretKey?, in state: State) -> UInt64? {
        if let secret { return state.touched[secret] }
        return state.appliedIndex > state.visibleIndex ? state.appliedIndex : nil
    }
}
