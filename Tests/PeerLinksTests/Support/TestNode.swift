import Logging
import NIOCore
import NIOPosix
import OpenSSL
import PeerLinks
import Raft
import Synchronization
import Testing

extension PeerLinkLimits {
    /// Waits that no slow machine reaches: what ends a link in a test is what the test does.
    static let patient: PeerLinkLimits = {
        var limits = PeerLinkLimits()
        limits.connectTimeout = .minutes(2)
        limits.handshakeTimeout = .minutes(2)
        limits.silenceMax = .minutes(2)
        return limits
    }()
}

/// A handler that remembers what it was told.
final class Recorder: PeerTransportHandler, Sendable {
    struct State {
        var messages: [Message] = []
        var changes: [NodeID: [Bool]] = [:]
        var refusedNodes: Set<NodeID> = []
        var serials: [NodeID: [UInt8]] = [:]
        /// Requests of kind 2 that were asked and are never answered.
        var unanswered = 0
    }

    let state = Mutex(State())
    let loop: any EventLoop

    init(loop: any EventLoop) { self.loop = loop }

    var messages: [Message] { state.withLock { $0.messages } }
    func isUp(_ node: UInt64) -> Bool { state.withLock { $0.changes[NodeID(node)]?.last ?? false } }
    func serial(of node: UInt64) -> [UInt8]? { state.withLock { $0.serials[NodeID(node)] } }
    var unansweredCount: Int { state.withLock { $0.unanswered } }
    func refuse(_ node: UInt64) { state.withLock { _ = $0.refusedNodes.insert(NodeID(node)) } }
    func changes(_ node: UInt64) -> [Bool] { state.withLock { $0.changes[NodeID(node)] ?? [] } }

    func received(_ message: Message) { state.withLock { $0.messages.append(message) } }

    func connectionChanged(_ node: NodeID, isUp: Bool) { state.withLock { $0.changes[node, default: []].append(isUp) } }

    /// Kind 1 echoes, kind 2 is never answered, kind 3 fails, kind 4 gives more than a frame holds.
    func answer(kind: UInt16, body: ByteBuffer, from node: NodeID) -> EventLoopFuture<PeerReply> {
        switch kind {
        case 1: return loop.makeSucceededFuture(PeerReply(status: UInt16(node.raw), body: body))
        case 2:
            state.withLock { $0.unanswered += 1 }
            // Never completed while the test looks; completed at last so that the promise does not leak.
            let promise = loop.makePromise(of: PeerReply.self)
            loop.scheduleTask(in: .minutes(5)) { promise.fail(CancellationError()) }
            return promise.futureResult
        case 3: return loop.makeFailedFuture(CancellationError())
        default: return loop.makeSucceededFuture(PeerReply(status: 0, body: ByteBuffer(repeating: 0, count: WireFormat.frameBytesMax)))
        }
    }

    func isAllowed(_ node: NodeID, certificate: Certificate) -> Bool {
        state.withLock { state in
            state.serials[node] = certificate.serialNumber
            return !state.refusedNodes.contains(node)
        }
    }
}

/// A transport on a loop of its own, listening on loopback.
final class TestNode: Sendable {
    let id: UInt64
    let transport: PeerTransport
    let recorder: Recorder
    let log: CapturedLog
    let port: Int
    private let loop: any EventLoop

    private init(id: UInt64, transport: PeerTransport, recorder: Recorder, log: CapturedLog, port: Int, loop: any EventLoop) {
        (self.id, self.transport, self.recorder, self.log, self.port, self.loop) = (id, transport, recorder, log, port, loop)
    }

    static func start(
        _ id: UInt64, cluster: String = TestCluster.id, credential: Credential? = nil, authoritiesPEM: String = TestCluster.authority.certificatePEM,
        versions: ClosedRange<UInt16> = WireFormat.versions, port: Int = 0, limits: PeerLinkLimits = .patient,
        additionalProtocols: [String: @Sendable (any Channel) -> EventLoopFuture<Void>] = [:]
    ) async throws -> TestNode {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let recorder = Recorder(loop: loop)
        let log = CapturedLog()
        let transport = try await loop.submit {
            var configuration = PeerTransportConfiguration(
                identity: TestCluster.identity(id, cluster: cluster), listenHost: "127.0.0.1", listenPort: port, buildVersion: "test")
            configuration.protocolVersions = versions
            configuration.limits = limits
            return try PeerTransport(
                configuration: configuration, credential: credential ?? TestCluster.credential(id, cluster: cluster), authoritiesPEM: authoritiesPEM,
                additionalProtocols: additionalProtocols, eventLoop: loop, logger: log.logger(), handler: recorder)
        }.get()
        let address = try await transport.start()
        guard let port = address.port else { preconditionFailure("a bound socket has a port") }
        return TestNode(id: id, transport: transport, recorder: recorder, log: log, port: port, loop: loop)
    }

    var address: PeerAddress { PeerAddress(host: "127.0.0.1", port: port) }

    /// Runs `body` on the transport's loop.
    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (PeerTransport) throws -> Value) async throws -> Value {
        try await loop.submit { [transport] in try body(transport) }.get()
    }

    func setPeers(_ nodes: [TestNode]) async throws {
        try await setPeers(Dictionary(uniqueKeysWithValues: nodes.map { (NodeID($0.id), $0.address) }))
    }

    func setPeers(_ addresses: [NodeID: PeerAddress]) async throws { try await onLoop { $0.setPeers(addresses) } }

    func send(_ payload: Message.Payload, to node: UInt64, term: UInt64 = 7) async throws { try await send([payload], to: node, term: term) }

    func send(_ payloads: [Message.Payload], to node: UInt64, term: UInt64 = 7) async throws {
        try await onLoop { [id] transport in
            for payload in payloads {
                transport.send(Message(from: NodeID(id), to: NodeID(node), term: Term(term), payload: payload))
            }
        }
    }

    func request(_ kind: UInt16, _ body: ByteBuffer = ByteBuffer(), to node: UInt64, timeout: TimeAmount = .seconds(30)) async throws -> PeerReply {
        try await loop.flatSubmit { [transport] in transport.request(to: NodeID(node), kind: kind, body: body, timeout: timeout) }.get()
    }

    func statistics(_ node: UInt64) async throws -> PeerStatistics? { try await onLoop { $0.statistics()[NodeID(node)] } }

    func isFullyUp(_ node: UInt64) async -> Bool {
        guard let statistics = try? await statistics(node) else { return false }
        return statistics.isUp && statistics.isBulkUp
    }
}

/// Starts nodes 1 to `count`, each the others' peer, waits until all links are up, and shuts them down after `body`.
func withNodes(_ count: UInt64, limits: PeerLinkLimits = .patient, _ body: ([TestNode]) async throws -> Void) async throws {
    var nodes: [TestNode] = []
    for id in 1...count { nodes.append(try await TestNode.start(id, limits: limits)) }
    for node in nodes { try await node.setPeers(nodes) }
    for node in nodes {
        for other in nodes where other.id != node.id { await eventually("node \(node.id) reaches \(other.id)") { await node.isFullyUp(other.id) } }
    }
    try await shuttingDown(nodes) { try await body(nodes) }
}

/// Runs `body` and shuts `nodes` down, also when it throws.
func shuttingDown(_ nodes: [TestNode], _ body: () async throws -> Void) async throws {
    do { try await body() } catch {
        for node in nodes { await node.transport.shutdown() }
        throw error
    }
    for node in nodes { await node.transport.shutdown() }
}
