package import Logging
package import NIOCore
internal import NIOPosix
package import OpenSSL
internal import PeerLinks
internal import Raft
package import SecretStore

/// What a new node says of itself.
package struct JoiningNode: Sendable {
    package var name: String?
    package var peerAddress: NodeAddress
    package var apiAddress: NodeAddress
    package var version: String

    package init(name: String? = nil, peerAddress: NodeAddress, apiAddress: NodeAddress, version: String) {
        self.name = name
        self.peerAddress = peerAddress
        self.apiAddress = apiAddress
        self.version = version
    }
}

/// The new node's side of a join.
package struct JoinClient: Sendable {
    /// How long a connection may take to be made.
    package static let connectTimeout = TimeAmount.seconds(5)
    /// How long the answer may take, counted from the connection: longer than a member waits for the cluster.
    package static let answerTimeout = TimeAmount.seconds(45)

    private let token: JoinToken
    private let key: PrivateKey
    private let node: JoiningNode
    private let group: any EventLoopGroup
    private let logger: Logger
    private let answerTimeout: TimeAmount

    /// - Parameters:
    ///   - key: The node's key. Keep it until an answer is there: a join is repeated with the same one.
    ///   - group: Loops for the connections; the caller ends them.
    package init(
        token: JoinToken, key: PrivateKey, node: JoiningNode, group: any EventLoopGroup, logger: Logger,
        answerTimeout: TimeAmount = JoinClient.answerTimeout
    ) {
        self.token = token
        self.key = key
        self.node = node
        self.group = group
        self.logger = logger
        self.answerTimeout = answerTimeout
    }

    /// Asks one member after the other until one lets this node in, or says no for the whole cluster.
    ///
    /// Call it again after an error that may pass: the token is used up once, and the same key gets the same answer.
    ///
    /// - Parameters:
    ///   - addresses: Peer addresses of members.
    ///   - now: This node's clock.
    /// - Throws: ``JoinError``, the last one when there were several.
    package func join(_ addresses: [NodeAddress], now: Timestamp) async throws(JoinError) -> JoinGrant {
        var last = JoinError.noAddress
        for address in addresses {
            do throws(JoinError) {
                return try await ask(address, now: now)
            } catch {
                logger.warning("cannot join here", metadata: ["address": "\(address)", "reason": "\(error)"])
                guard error.isOfThisMember else { throw error }
                last = error
            }
        }
        throw last
    }

    private func ask(_ address: NodeAddress, now: Timestamp) async throws(JoinError) -> JoinGrant {
        let request: JoinRequest
        let context: TLSContext
        do {
            request = JoinRequest(
                secret: token.secret, certificateRequest: try CertificateRequest.make(for: key), name: node.name,
                peerAddress: node.peerAddress, apiAddress: node.apiAddress, version: node.version, sentAt: now)
            // Any node of the authority may let others in; a certificate of the API listener is not a node's.
            context = try TLSContext.joinClient(authority: token.authority, applicationProtocol: JoinProtocol.name) {
                PeerIdentity(certificate: $0) != nil
            }
        } catch {
            preconditionFailure("a key that signs and settings that are constant make a request and a context: \(error)")
        }
        let answer = group.next().makePromise(of: Result<JoinGrant, JoinError>.self)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(TLSHandler(session: try context.makeJoinSession(), handshakeTimeout: answerTimeout))
                    try pipeline.addHandler(JoinClientHandler(request: request, address: address, answer: answer, timeout: answerTimeout))
                }
            }
        do {
            _ = try await bootstrap.connect(host: address.host, port: Int(address.port)).get()
        } catch {
            answer.succeed(.failure(.unreachable(address)))
        }
        let result: Result<JoinGrant, JoinError>
        do {
            result = try await answer.futureResult.get()
        } catch {
            throw .answerLost(address)
        }
        let grant = try result.get()
        guard isSound(grant, now: now) else { throw .badAnswer(address) }
        return grant
    }

    /// Whether the certificate is of the token's authority, for our key and for the node that the answer names.
    private func isSound(_ grant: JoinGrant, now: Timestamp) -> Bool {
        guard let identity = PeerIdentity(cluster: grant.clusterID, node: grant.node) else { return false }
        do {
            let authority = try Certificate(pem: grant.authorityPEM)
            let certificate = try Certificate(pem: grant.certificatePEM)
            for purpose in [CertificatePurpose.serverAuthentication, .clientAuthentication] {
                try certificate.verify(
                    against: [authority], for: purpose, name: .uri(identity.uri), now: now.millisecondsSince1970 / 1_000)
            }
            let publicKey = try key.publicKeySHA256()
            return authority.sha256 == token.authority && certificate.publicKeySHA256 == publicKey
                && grant.nodes.contains { $0.id == grant.node && $0.admits(publicKey) }
        } catch {
            return false
        }
    }
}
