internal import Keyring
internal import LMDB
internal import Logging
internal import SecretStore

/// What a node keeps on disk, open: the replicated state and the log that feeds it.
struct NodeState: Sendable {
    let store: SecretStore
    let log: SingleNodeLog

    init(directory: DataDirectory, keyring: Keyring, region: String, reserveFreeByteCount: Int, logger: Logger) throws {
        var configuration = Environment.Configuration(path: directory.stateDirectory)
        // The log has every entry, so the last commit may be lost in a crash of the machine; see `Applier`.
        configuration.durability = .noMetaSync
        store = try SecretStore(environment: try Environment(configuration), keyring: keyring, scope: ARNScope(region: region))
        log = try SingleNodeLog(
            SingleNodeLog.Configuration(directory: directory.logDirectory, reserveFreeByteCount: reserveFreeByteCount), stateMachine: store,
            keyring: keyring, logger: logger)
    }

    /// Writes everything out and stops the threads.
    func close() { log.close() }
}

/// What a node does by itself at intervals: access dates are written down, due deletions happen.
struct NodeHousekeeping: Sendable {
    let recorder: AccessRecorder
    private let housekeeping: Housekeeping

    init(_ node: NodeState, keyTerm: UInt32, logger: Logger, everySecond: @escaping @Sendable () -> Void) {
        let clock: @Sendable () -> Timestamp = { Timestamp(millisecondsSince1970: WallClock.milliseconds) }
        let applier = node.log.applier
        recorder = AccessRecorder(log: node.log, keyTerm: keyTerm, clock: clock) { applier.whenEverythingIsVisible($0) }
        housekeeping = Housekeeping(
            recorder: recorder, sweeper: DeletionSweeper(store: node.store, log: node.log, logger: logger), clock: clock,
            everySecond: everySecond)
    }

    /// Ends it. Before the log is closed.
    func close() { housekeeping.close() }
}
