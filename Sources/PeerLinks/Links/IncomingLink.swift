import NIOCore
import OpenSSL
import Raft

/// A connection that somebody made to this node: a stranger until TLS and hello have said who. Belongs to the event loop.
///
/// What a peer says arrives here; what goes back is the answer to a ping or a request.
final class IncomingLink {
    private enum State {
        case securing
        /// The certificate has said who it is; the hello must say the same.
        case greeting(PeerIdentity, Certificate)
        case open(NodeID, LinkRole)
        case ended
    }

    private let core: TransportCore
    private var state = State.securing
    private(set) var connection: LinkHandler?
    /// Requests of the peer that the node has not answered yet.
    private var answersPending = 0
    private var wasPonged = false
    private var lookedAt = NIODeadline.now()

    init(core: TransportCore) { self.core = core }

    /// - Precondition: Once.
    func attach(_ connection: LinkHandler) { self.connection = connection }

    /// Who it is, once that is known for certain.
    var peer: (node: NodeID, role: LinkRole)? { if case .open(let node, let role) = state { (node, role) } else { nil } }

    /// Looks after the connection; called each ping interval.
    func tick(_ now: NIODeadline) {
        guard let connection else { return }
        switch state {
        case .securing, .greeting:
            if now - connection.startedAt > core.limits.handshakeTimeout { connection.fail(.handshakeTimedOut) }
        case .open:
            guard now - connection.heardAt <= core.limits.silenceMax else { return connection.fail(.closedHere(.silent)) }
            // On a slow path the ping may be far behind what is arriving: that it arrives is a sign of life worth telling.
            if connection.heardAt > lookedAt, !wasPonged { _ = connection.send(.pong(0)) }
            wasPonged = false
            lookedAt = now
        case .ended: break
        }
    }
}

extension IncomingLink: LinkEvents {
    func secured(_ connection: LinkHandler, applicationProtocol: String?) {
        guard applicationProtocol == WireFormat.applicationProtocol else {
            state = .ended
            return core.handOver(self, connection, applicationProtocol ?? "")
        }
        guard let certificate = core.peerCertificate(of: connection), let identity = PeerIdentity(certificate: certificate) else {
            return connection.fail(.noIdentity)
        }
        state = .greeting(identity, certificate)
    }

    func received(_ frame: Frame, on connection: LinkHandler) {
        switch (state, frame) {
        case (.greeting(let identity, let certificate), .hello(let hello)): greet(connection, identity, certificate, hello)
        case (_, .close(let end)): connection.fail(.closedByPeer(end))
        case (.open(let node, _), .raft(let term, let payload)): core.deliver(term, payload, from: node)
        case (.open, .ping(let number)):
            wasPonged = true
            if !connection.send(.pong(number)) { connection.fail(.answersPileUp) }
        case (.open(let node, _), .request(let id, let kind, let body)): answer(id, kind, body, from: node, on: connection)
        default: connection.fail(.unexpectedFrame(frame.kind))
        }
    }

    /// Nothing that the hello claims is believed; it is compared.
    private func greet(_ connection: LinkHandler, _ identity: PeerIdentity, _ certificate: Certificate, _ hello: Hello) {
        func refuse(_ failure: LinkFailure) { connection.fail(failure) { .refusal($0) } }
        let mine = core.configuration.protocolVersions
        guard identity.cluster == core.configuration.identity.cluster else { return refuse(.wrongCluster) }
        guard hello.cluster == identity.cluster, hello.node == identity.node else { return refuse(.wrongIdentity) }
        guard identity.node != core.configuration.identity.node, core.isAllowed(identity.node, certificate) else { return refuse(.notAllowed) }
        guard mine.overlaps(hello.versions) else { return refuse(.noCommonVersion) }
        let version = min(mine.upperBound, hello.versions.upperBound)
        state = .open(identity.node, hello.role)
        connection.counting = core.counting(for: identity.node)
        connection.open()
        _ = connection.send(.helloReply(version: version, core.hello(hello.role)))
        core.incomingOpened(self, identity.node, hello.role)
    }

    private func answer(_ id: UInt64, _ kind: UInt16, _ body: ByteBuffer, from node: NodeID, on connection: LinkHandler) {
        guard answersPending < core.limits.requestsMax, let answer = core.answer(kind, body, from: node) else {
            return reply(id, PeerReply(status: PeerReply.noAnswer, body: ByteBuffer()), on: connection)
        }
        answersPending += 1
        answer.hop(to: core.eventLoop).assumeIsolated().whenComplete { result in
            self.answersPending -= 1
            // A failure of the node's is the node's to log; the peer learns only that there is no answer.
            self.reply(id, (try? result.get()) ?? PeerReply(status: PeerReply.noAnswer, body: ByteBuffer()), on: connection)
        }
    }

    private func reply(_ id: UInt64, _ reply: PeerReply, on connection: LinkHandler) {
        guard case .open = state else { return }
        var frame = Frame.reply(id: id, reply)
        if frame.byteCountMax > WireFormat.frameBytesMax {
            frame = .reply(id: id, PeerReply(status: PeerReply.noAnswer, body: ByteBuffer()))
        }
        if !connection.send(frame) { connection.fail(.answersPileUp) }
    }

    func ended(_ connection: LinkHandler, _ failure: LinkFailure, framesLost: Int) {
        let peer = peer
        state = .ended
        self.connection = nil
        core.incomingEnded(self, connection, peer, failure)
    }
}

@available(*, unavailable)
extension IncomingLink: Sendable {}
