import Logging
import NIOCore
import NIOPosix
import OpenSSL
import Raft

/// One of the two connections that this node makes to a peer, made again whenever it is gone. Belongs to the event loop.
///
/// Everything that this node says to the peer goes out here; what comes back is the answer to a ping or a request.
final class OutgoingLink {
    private enum State {
        /// The attempt of this number is under way: an older one that succeeds after all is of no use.
        case connecting(attempt: UInt64)
        case handshaking(LinkHandler)
        case open(LinkHandler, version: UInt16)
        case waiting(Scheduled<Void>)
        case stopped
    }

    let identity: PeerIdentity
    let role: LinkRole
    private let address: PeerAddress
    private let core: TransportCore
    private let counting: PeerCounting
    private var state = State.stopped
    private var attempt: UInt64 = 0
    private var backoff: Backoff
    /// What the last failure was, so that a peer that stays away is one line and not one each attempt.
    private var reported: String?

    private var pingNumber: UInt64 = 0
    private var pingedAt: NIODeadline?
    private(set) var roundTrip: TimeAmount?
    private(set) var requests = PendingRequests()

    init(identity: PeerIdentity, role: LinkRole, address: PeerAddress, core: TransportCore, counting: PeerCounting) {
        self.identity = identity
        self.role = role
        self.address = address
        self.core = core
        self.counting = counting
        backoff = Backoff(from: core.limits.reconnectDelayMin, to: core.limits.reconnectDelayMax)
    }

    /// The agreed version while the link is open.
    var version: UInt16? { if case .open(_, let version) = state { version } else { nil } }

    // MARK: Life

    func start() { connect() }

    /// Ends the link for good.
    ///
    /// - Returns: The channel that is closing, if there is one.
    func stop(_ end: LinkEnd) -> (any Channel)? {
        switch state {
        case .connecting, .stopped:
            state = .stopped
            return nil
        case .waiting(let retry):
            retry.cancel()
            state = .stopped
            return nil
        case .handshaking(let connection), .open(let connection, _):
            let wasOpen = version != nil
            state = .stopped
            connection.fail(.closedHere(end))
            if wasOpen { core.linkChanged(self, isOpen: false) }
            return connection.channel
        }
    }

    /// Ends the connection that there is; the link makes a new one.
    func restart(_ end: LinkEnd) {
        switch state {
        case .handshaking(let connection), .open(let connection, _): connection.fail(.closedHere(end))
        case .connecting, .waiting, .stopped: break
        }
    }

    private func connect() {
        attempt += 1
        state = .connecting(attempt: attempt)
        ClientBootstrap(group: core.eventLoop)
            .connectTimeout(core.limits.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connect(host: address.host, port: address.port)
            .assumeIsolated()
            .whenComplete { [attempt] result in self.connected(result, attempt: attempt) }
    }

    private func connected(_ result: Result<any Channel, any Error>, attempt: UInt64) {
        guard case .connecting(attempt) = state else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .failure(let error): retry(after: .transport("\(error)"))
        case .success(let channel):
            do {
                let session = try core.callerContexts.current.makeClientSession(to: .uri(identity.uri))
                let isControl = role == .control
                let connection = LinkHandler(
                    channel: channel, events: self,
                    queueBytesMax: isControl ? core.limits.controlQueueBytesMax : core.limits.bulkQueueBytesMax,
                    queueFramesMax: isControl ? core.limits.controlQueueFramesMax : core.limits.bulkQueueFramesMax)
                state = .handshaking(connection)
                // Ours first, so that it hears whatever becomes of the handshake that begins with the second.
                try channel.pipeline.syncOperations.addHandler(connection)
                try channel.pipeline.syncOperations.addHandler(
                    TLSHandler(session: session, handshakeTimeout: core.limits.handshakeTimeout), position: .first)
                if !channel.isActive { connection.fail(.closed) }
            } catch {
                channel.close(promise: nil)
                retry(after: LinkFailure(error))
            }
        }
    }

    private func retry(after failure: LinkFailure) {
        report(failure)
        let delay = core.delay(&backoff)
        state = .waiting(core.eventLoop.assumeIsolated().scheduleTask(in: delay) { self.connect() })
    }

    private func report(_ failure: LinkFailure) {
        let text = "\(failure.label): \(failure.detail ?? "")"
        guard reported != text else { return }
        reported = text
        core.report(failure, "link to peer failed", peer: identity.node, role: role)
    }

    // MARK: Time

    /// Looks after the connection; called each ping interval.
    func tick(_ now: NIODeadline) {
        switch state {
        case .handshaking(let connection):
            if now - connection.startedAt > core.limits.handshakeTimeout { connection.fail(.handshakeTimedOut) }
        case .open(let connection, _):
            guard now - connection.heardAt <= core.limits.silenceMax else { return connection.fail(.closedHere(.silent)) }
            // One ping at a time is measured; the next one asks again all the same, for a sign of life.
            pingNumber += 1
            pingedAt = now
            _ = connection.send(.ping(pingNumber))
        case .connecting, .waiting, .stopped: break
        }
    }

    // MARK: Sending

    /// Queues a message of the core; it is lost, and counted, where the link is down or its queue full.
    func send(_ term: Term, _ payload: Message.Payload) {
        guard case .open(let connection, _) = state, payload.byteCountMax <= WireFormat.frameBytesMax, connection.send(.raft(term, payload)) else {
            counting.counters.framesDropped += 1
            return
        }
    }

    func request(kind: UInt16, body: ByteBuffer, timeout: TimeAmount) -> EventLoopFuture<PeerReply> {
        let loop = core.eventLoop
        guard case .open(let connection, _) = state else { return loop.makeFailedFuture(PeerRequestError.notConnected) }
        let frame = Frame.request(id: requests.nextID, kind: kind, body: body)
        guard frame.byteCountMax <= WireFormat.frameBytesMax else { return loop.makeFailedFuture(PeerRequestError.tooLarge) }
        guard requests.count < core.limits.requestsMax, connection.send(frame) else {
            return loop.makeFailedFuture(PeerRequestError.queueFull)
        }
        let id = requests.nextID
        let promise = loop.makePromise(of: PeerReply.self)
        let deadline = loop.assumeIsolated().scheduleTask(in: timeout) { self.requests.fail(id, .timedOut) }
        requests.add(promise, deadline: deadline)
        return promise.futureResult
    }
}

extension OutgoingLink: LinkEvents {
    func secured(_ connection: LinkHandler, applicationProtocol: String?) {
        guard let certificate = core.peerCertificate(of: connection) else { return connection.fail(.noIdentity) }
        // TLS has compared the name with the one called; what is left is whether the node is still welcome.
        guard core.isAllowed(identity.node, certificate) else { return connection.fail(.notAllowed) }
        counting.certificateNotAfter = certificate.notAfter
        connection.counting = counting
        _ = connection.send(.hello(core.hello(role)))
    }

    func received(_ frame: Frame, on connection: LinkHandler) {
        switch (state, frame) {
        case (.handshaking, .helloReply(let version, let hello)): opened(connection, version, hello)
        case (.handshaking, .refusal(let end)): connection.fail(.refused(end))
        case (_, .close(let end)): connection.fail(.closedByPeer(end))
        case (.open, .pong(let number)):
            if number == pingNumber, let pingedAt {
                roundTrip = .now() - pingedAt
                self.pingedAt = nil
            }
        case (.open, .reply(let id, let reply)): requests.succeed(id, reply)
        default: connection.fail(.unexpectedFrame(frame.kind))
        }
    }

    private func opened(_ connection: LinkHandler, _ version: UInt16, _ hello: Hello) {
        guard hello.cluster == identity.cluster, hello.node == identity.node, hello.role == role else { return connection.fail(.wrongIdentity) }
        guard core.configuration.protocolVersions.contains(version) else { return connection.fail(.noCommonVersion) }
        state = .open(connection, version: version)
        connection.open()
        backoff.reset()
        reported = nil
        counting.counters.connectionsMade += 1
        core.linkChanged(self, isOpen: true)
    }

    func ended(_ connection: LinkHandler, _ failure: LinkFailure, framesLost: Int) {
        counting.counters.framesDropped += UInt64(framesLost)
        (pingedAt, roundTrip) = (nil, nil)
        let wasOpen = version != nil
        let isStopped = if case .stopped = state { true } else { false }
        if !isStopped { retry(after: failure) }
        // Last, because whoever hears of it may ask at once for something else.
        requests.failAll(.connectionLost)
        if wasOpen { core.linkChanged(self, isOpen: false) }
    }
}

@available(*, unavailable)
extension OutgoingLink: Sendable {}
