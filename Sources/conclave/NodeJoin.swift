internal import ClusterIdentity
internal import Glibc
internal import Keyring
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Node
internal import OpenSSL
internal import SecretStore

/// The first start of a node that joins a cluster: it asks a member to be let in, and writes what it is told to its data directory.
///
/// Safe to be killed at any point: the next start asks again with the same key and gets the same answer.
struct NodeJoin {
    static let tokenVariable = "CONCLAVE_JOIN_TOKEN"
    /// How often a join is tried that may succeed later, two seconds apart.
    private static let attemptsMax = 30

    let settings: ServeSettings
    let directory: DataDirectory
    let logger: Logger

    func run() async throws {
        try directory.create()
        try directory.takeLock()
        let token = try token()
        if access(settings.sealKeyFile, F_OK) != 0 { try FileSeal.createKeyFile(at: settings.sealKeyFile) }
        let seal = try FileSeal(keyFile: settings.sealKeyFile)
        let key = try PendingJoinKey.loadOrMake(path: directory.pendingJoinKeyFile, seal: seal)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = JoinClient(token: token, key: key, node: try description(), group: group, logger: logger)
        let grant: JoinGrant
        do {
            grant = try await ask(client)
            try await group.shutdownGracefully()
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        // The keyring file marks a directory as a node's, so everything else is in place before it gets its name.
        let draft = directory.keyringFile + ".draft"
        unlink(draft)
        let keyring = try Keyring.importFromJoin(grant.keyring, seal: seal, path: draft)
        try NodeIdentity(grant, key: key).write(to: directory.identityFile, keyring: keyring)
        try KnownNodes.write(grant.nodes, to: directory.knownNodesFile)
        try TextFile.write(grant.region + "\n", to: directory.regionFile)
        try TextFile.write(grant.authorityPEM, to: directory.authorityCertificateFile)
        try CertificateNames.write([], to: directory)
        guard rename(draft, directory.keyringFile) == 0 else {
            throw SettingsError(description: "cannot create '\(directory.keyringFile)': \(String(cString: strerror(errno)))")
        }
        try PendingJoinKey.remove(path: directory.pendingJoinKeyFile)
        logger.notice("joined the cluster", metadata: ["node": "\(grant.node)", "cluster": "\(grant.clusterID)"])
    }

    private func ask(_ client: JoinClient) async throws -> JoinGrant {
        var attempt = 1
        while true {
            do {
                return try await client.join(settings.joinAddresses, now: WallClock.now)
            } catch {
                guard error.mayPass, attempt < Self.attemptsMax else { throw SettingsError(description: "cannot join: \(error)") }
                logger.notice("cannot join yet; trying again", metadata: ["reason": "\(error)"])
                attempt += 1
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    private func token() throws -> JoinToken {
        let text: SecretBytes
        if let file = settings.joinTokenFile {
            text = try PrivateFile.read(file)
        } else if let variable = getenv(Self.tokenVariable) {
            text = SecretBytes(copying: UnsafeRawBufferPointer(start: variable, count: strlen(variable)))
        } else {
            throw SettingsError(
                description: "no join token: put one into \(Self.tokenVariable) or a file (--join-token-file); a member makes it with: conclave cluster token create")
        }
        guard let token = JoinToken(text: text) else {
            throw SettingsError(description: "this is not a join token; a member makes one with: conclave cluster token create")
        }
        return token
    }

    /// Ports that the system is to choose are told to the cluster once they are known.
    private func description() throws -> JoiningNode {
        func address(_ advertised: NodeAddress?, _ host: String, _ port: Int) throws(SettingsError) -> NodeAddress {
            if let advertised { return advertised }
            guard let address = NodeAddress(host: host, port: UInt16(port == 0 ? 1 : port)) else {
                throw SettingsError(description: "'\(host)' is not an address that other nodes can dial")
            }
            return address
        }
        return JoiningNode(
            peerAddress: try address(settings.peerAdvertise, settings.peerHost, settings.peerPort),
            apiAddress: try address(settings.apiAdvertise, settings.host, settings.port), version: Conclave.version)
    }
}
