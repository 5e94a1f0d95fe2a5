internal import Keyring
package import Logging
package import SecretStore

/// What operations work with. One for the process; safe from any thread.
package final class Services: Sendable {
    let store: SecretStore
    let log: any ReplicatedLog
    /// Tells when a reader sees what has been acknowledged.
    let applier: Applier
    let accessRecorder: AccessRecorder
    let readPlans: ReadPlans
    let pageTokens: PageTokens
    let logger: Logger
    private let clock: @Sendable () -> Timestamp

    var keyring: Keyring { store.keyring }
    /// Partition and region of every ARN.
    var scope: ARNScope { store.scope }

    /// - Parameters:
    ///   - log: Where writes go. Its applier is `applier`.
    ///   - accessRecorder: Where reads leave their day; it proposes to `log`.
    ///   - readPlans: Aged by whoever made them.
    ///   - logger: For failures of the server's own, such as a record that does not open.
    ///   - clock: The wall clock.
    package init(
        store: SecretStore, log: any ReplicatedLog, applier: Applier, accessRecorder: AccessRecorder,
        readPlans: ReadPlans = ReadPlans(), logger: Logger,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.log = log
        self.applier = applier
        self.accessRecorder = accessRecorder
        self.readPlans = readPlans
        self.logger = logger
        self.clock = clock
        pageTokens = PageTokens(keyring: store.keyring)
    }

    /// The node's wall clock.
    func now() -> Timestamp { clock() }

    /// Runs a query. What the state itself cannot answer (damage, a missing key) is logged here, and is a 500 without a reason.
    func query<Result>(_ body: (SecretStore) throws -> Result) throws(APIError) -> Result {
        do {
            return try body(store)
        } catch {
            logger.error("the state could not be read", metadata: ["error": "\(error)"])
            throw .internalFailure
        }
    }
}
