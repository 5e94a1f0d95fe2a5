import Foundation
import Keyring
import LMDB
import Logging
import NIOCore
import NIOPosix
import OpenSSL
import Raft
import SecretStore
import Synchronization
import Testing

@testable import Node

/// Nodes in this process, with real logs and states in a temporary folder, and links that a test can cut.
final class TestCluster: Sendable {
    static let account = AccountID("123456789012")!
    static let start = Timestamp(millisecondsSince1970: 1_767_323_045_000)

    private let directory: URL
    private let keyring = Keyring.forTesting()
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let board = Switchboard()
    private let lives = Mutex<[UInt64: UInt64]>([:])
    private let stores = Mutex<[NodeID: SecretStore]>([:])
    let configure: @Sendable (inout NodeSettings) -> Void

    init(configure: @escaping @Sendable (inout NodeSettings) -> Void = { _ in }) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("cluster-\(UUID().uuidString)")
        self.configure = configure
    }

    // A folder that is left behind does no harm.
    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(of id: UInt64, _ part: String) throws -> String {
        let path = directory.appendingPathComponent("\(id)/\(part)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Starts a node, or starts it again.
    func start(_ id: UInt64, founding: [UInt64] = [1, 2, 3]) async throws -> Node {
        let life = lives.withLock { lives in
            lives[id, default: 0] += 1
            return lives[id, default: 0]
        }
        let store = try openStore(id)
        var settings = NodeSettings(
            logDirectory: try path(of: id, "log"), snapshotDirectory: try path(of: id, "snapshots"), clusterTag: 7, id: NodeID(id),
            incarnation: Incarnation(id << 32 | life), founding: Membership(voters: founding.map(NodeID.init)))
        settings.raft.electionTimeout = .milliseconds(300)
        settings.raft.heartbeatInterval = .milliseconds(50)
        settings.segmentByteCount = 1 << 20
        configure(&settings)
        var quiet = Logger(label: "node-\(id)")
        quiet.logLevel = ProcessInfo.processInfo.environment["NODE_TESTS_LOG"] == nil ? .critical : .info
        let board = board
        let node = try await Node.start(
            settings, store: store, eventLoop: group.next(), logger: quiet, listener: Node.Listener(halted: { _ in }),
            fatal: { Issue.record("node \(id): \($0)") }, peers: { _ in board.port(of: NodeID(id)) })
        board.connect(node)
        return node
    }

    /// A process may open an environment once, so a node that starts again gets the one that it had.
    private func openStore(_ id: UInt64) throws -> SecretStore {
        let path = try path(of: id, "state")
        return try stores.withLock { stores in
            if let store = stores[NodeID(id)] { return store }
            var environment = Environment.Configuration(path: path)
            environment.mapSizeBytes = 1 << 30
            environment.durability = .noMetaSync
            let store = try SecretStore(environment: Environment(environment), keyring: keyring, scope: ARNScope(region: "us-east-1"))
            stores[NodeID(id)] = store
            return store
        }
    }

    func startAll(_ ids: [UInt64] = [1, 2, 3]) async throws -> [Node] {
        var nodes: [Node] = []
        for id in ids { nodes.append(try await start(id, founding: ids)) }
        return nodes
    }

    func store(_ node: Node) -> SecretStore { stores.withLock { $0[node.id] }! }

    /// Ends a node as an order does; nothing that it had queued is lost, as it is with a crash (the simulator's business).
    func stop(_ node: Node) async {
        board.disconnect(node.id)
        await node.close()
    }

    // MARK: Work

    /// A mutation that succeeds once: a second execution would be refused.
    func mutation(_ number: UInt64) -> Mutation {
        Mutation(account: AccountID(String(number + 100_000_000_000))!, at: Self.start, keyTerm: keyring.currentTerm, command: .createAccount)
    }

    /// Waits for something that another thread brings about.
    static func until(_ what: String, seconds: Double = 20, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw TimeOut(description: "never: \(what)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    struct TimeOut: Error, CustomStringConvertible { let description: String }

    func leader(among nodes: [Node]) async throws -> Node {
        var leader: Node?
        try await Self.until("a leader") {
            leader = nodes.first { $0.board.facts.role == .leader }
            return leader != nil
        }
        return leader!
    }
}

extension Node {
    func write(_ mutation: Mutation) async -> Result<Outcome, ProposalFailure> {
        await withCheckedContinuation { continuation in propose(mutation) { continuation.resume(returning: $0) } }
    }

    func barrier() async -> Result<Void, ProposalFailure> {
        await withCheckedContinuation { continuation in readBarrier { continuation.resume(returning: $0) } }
    }

    /// Makes the apply thread commit what it has applied.
    func everythingVisible() async {
        await withCheckedContinuation { continuation in applier.whenEverythingIsVisible { continuation.resume() } }
    }
}

/// Carries messages between the nodes of a process.
final class Switchboard: Sendable {
    private struct State {
        var nodes: [NodeID: Node] = [:]
        var cut: Set<[NodeID]> = []
    }

    private let state = Mutex(State())

    func connect(_ node: Node) { state.withLock { $0.nodes[node.id] = node } }
    func disconnect(_ id: NodeID) { state.withLock { $0.nodes[id] = nil } }
    /// Nothing gets from `a` to any of `others`, nor back.
    func cut(_ a: NodeID, from others: [NodeID]) {
        state.withLock { state in for b in others { state.cut.formUnion([[a, b], [b, a]]) } }
    }
    func heal() { state.withLock { $0.cut = [] } }
    func port(of id: NodeID) -> any PeerSender { Port(board: self, id: id) }

    private struct Port: PeerSender {
        let board: Switchboard
        let id: NodeID

        func send(_ message: Message) {
            let target = board.state.withLock { $0.cut.contains([id, message.to]) ? nil : $0.nodes[message.to] }
            guard let target else { return }
            target.eventLoop.execute { target.receive(message) }
        }
    }
}
