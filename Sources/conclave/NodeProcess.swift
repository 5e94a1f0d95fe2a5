internal import Access
internal import ClusterIdentity
internal import Gateway
internal import Glibc
internal import Keyring
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Node
internal import OpenSSL
internal import SecretStore

/// A node from its start to its stop.
struct NodeProcess {
    private let settings: ServeSettings
    private let directory: DataDirectory
    private let logger: Logger

    init(_ settings: ServeSettings) {
        self.settings = settings
        directory = DataDirectory(path: settings.dataDirectory)
        let level = settings.logLevel
        logger = Logger(label: "conclave") { _ in JSONLogHandler(logLevel: level) }
    }

    /// Opens the data, serves until a signal asks for the stop, and closes the data.
    func run() async throws {
        let process = ProcessEvents()
        if !directory.holdsNode, !settings.joinAddresses.isEmpty {
            try await NodeJoin(settings: settings, directory: directory, logger: logger).run()
        } else {
            try directory.lock()
        }
        for file in [directory.addressFile, directory.opsAddressFile] { unlink(file) }
        let keyring = try Keyring.open(path: directory.keyringFile, seal: try FileSeal(keyFile: settings.sealKeyFile))
        let region = try directory.region()
        let identity = try NodeIdentity.read(from: directory.identityFile, keyring: keyring)
        let data = try NodeData(
            directory: directory, keyring: keyring, region: region, node: identity.node, reserveFreeByteCount: settings.reserveFreeByteCount)
        let nodeGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let member = try await start(data, identity, on: nodeGroup.next(), process)
        let admin = try await AdminServer.start(
            at: directory.adminSocket, desk: AdminDesk(member: member, keyring: keyring), group: MultiThreadedEventLoopGroup.singleton)
        let counters = RequestCounters()
        let ops = try await startOps(OpsPages(member: member, store: data.store, counters: counters))
        if let record = try await clusterRecord(data.store, process) {
            try await serveClients(data.store, member, region, record, counters, process)
        }
        unlink(directory.opsAddressFile)
        await ops?.shutdown(grace: .seconds(1))
        await admin.close()
        await member.close()
        try await nodeGroup.shutdownGracefully()
        logger.notice("stopped")
    }

    private func start(_ data: NodeData, _ identity: NodeIdentity, on eventLoop: any EventLoop, _ process: ProcessEvents) async throws -> ClusterMember {
        if let own = try data.store.node(identity.node), own.state != .active {
            throw SettingsError(
                description: "node \(identity.node) was removed from the cluster and cannot come back; join anew with an empty data directory")
        }
        let configuration = ClusterMember.Configuration(
            node: data.settings, identity: identity, identityFile: directory.identityFile, knownNodesFile: directory.knownNodesFile,
            listenHost: settings.peerHost, listenPort: settings.peerPort, peerAddress: settings.peerAdvertise, version: Conclave.version)
        let logger = logger
        return try await Self.listening("peer-listen", settings.peerHost, settings.peerPort) {
            try await ClusterMember.start(
                configuration, store: data.store, eventLoop: eventLoop, logger: logger,
                fatal: { sentence in
                    logger.critical("the node stops at once", metadata: ["error": "\(sentence)"])
                    // Not `exit`: nothing may run, and above all nothing may be acknowledged, after this.
                    _exit(1)
                },
                ended: { sentence in
                    logger.notice("the node stops", metadata: ["reason": "\(sentence)"])
                    process.stop()
                })
        }
    }

    /// Says which address it is that the system does not give.
    private static func listening<Server>(_ setting: String, _ host: String, _ port: Int, _ start: () async throws -> Server) async throws -> Server {
        do {
            return try await start()
        } catch let error as IOError {
            throw SettingsError(
                description: "cannot listen on port \(port) of '\(host)' (\(setting)): \(String(cString: strerror(error.errnoCode)))")
        }
    }

    /// What the API's certificate is issued from; a node that has just joined waits until it has caught up with it. Nil when the node
    /// is to stop before.
    private func clusterRecord(_ store: SecretStore, _ process: ProcessEvents) async throws -> ClusterRecord? {
        var isSaid = false
        while !process.isStopping {
            if let record = try store.clusterRecord() { return record }
            if !isSaid { logger.notice("catching up with the cluster before clients are served") }
            isSaid = true
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    private func serveClients(
        _ store: SecretStore, _ member: ClusterMember, _ region: String, _ record: ClusterRecord, _ counters: RequestCounters,
        _ process: ProcessEvents
    ) async throws {
        let readPlans = ReadPlans()
        let housekeeping = NodeHousekeeping(member.node, store: store, logger: logger) { readPlans.age() }
        let tls = TLSContextBox(try TLSContext.api(credential: try credential(record, store)))
        let server = try await Self.listening("listen", settings.host, settings.port) {
            try await HTTPServer.start(
                serverConfiguration(), tls: tls, responder: responder(store, member.node, housekeeping.recorder, readPlans, counters, region),
                logger: logger)
        }
        try announce(server, member)

        await serve(until: process, tls, record, store)

        logger.notice("stopping: leadership is handed over, no new connections, requests in flight are answered")
        unlink(directory.addressFile)
        await member.handOver()
        await server.shutdown(grace: .seconds(Int64(settings.shutdownGraceSeconds)))
        housekeeping.close()
    }

    private func startOps(_ pages: OpsPages) async throws -> HTTPServer? {
        guard let address = settings.opsAddress else { return nil }
        var configuration = HTTPServer.Configuration()
        configuration.host = address.host
        configuration.port = address.port
        configuration.connectionsMax = 64
        let responder = OpsResponder(health: { pages.health }, metrics: { pages.metrics })
        let server = try await Self.listening("ops-listen", address.host, address.port) {
            try await HTTPServer.start(
                configuration, tls: nil, responder: responder, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        }
        try TextFile.write("\(address.host):\(server.address.port ?? address.port)\n", to: directory.opsAddressFile)
        return server
    }

    private func responder(
        _ store: SecretStore, _ node: Node, _ recorder: AccessRecorder, _ readPlans: ReadPlans, _ counters: RequestCounters, _ region: String
    ) -> SecretsManagerResponder {
        let keys = AccessKeyDirectory(store: store, logger: logger)
        let verifier = RequestVerifier(region: region, service: "secretsmanager", acceptsPresigned: true) { keys.find($0) }
        let services = Services(
            store: store, log: node, applier: node.applier, accessRecorder: recorder, readPlans: readPlans, logger: logger, clock: { WallClock.now })
        return SecretsManagerResponder(verifier: verifier, services: services, counters: counters, logger: logger)
    }

    /// Waits for the stop; renews the certificate meanwhile.
    private func serve(until process: ProcessEvents, _ tls: TLSContextBox, _ record: ClusterRecord, _ store: SecretStore) async {
        var issuedAt = WallClock.seconds
        for await event in process.events {
            switch event {
            case .stop: return
            case .reload: break
            case .hour: if settings.certificateFiles != nil || WallClock.seconds - issuedAt < NodeCertificate.renewalSeconds { continue }
            }
            do {
                tls.replace(with: try TLSContext.api(credential: try credential(record, store)))
                issuedAt = WallClock.seconds
                logger.notice("new connections get the new certificate")
            } catch {
                logger.error("the certificate cannot be replaced; the old one stays in use", metadata: ["error": "\(error)"])
            }
        }
    }

    private func credential(_ record: ClusterRecord, _ store: SecretStore) throws -> Credential {
        if let files = settings.certificateFiles { return try NodeCertificate.load(certificate: files.certificate, key: files.key) }
        let more = settings.tlsNames + [settings.host] + (settings.apiAdvertise.map { [$0.host] } ?? [])
        let names = try CertificateNames.read(directory, more: more)
        return try NodeCertificate.issue(names: names, record: record, store: store, now: WallClock.seconds)
    }

    private func serverConfiguration() -> HTTPServer.Configuration {
        var configuration = HTTPServer.Configuration()
        configuration.host = settings.host
        configuration.port = settings.port
        configuration.eventLoopCount = settings.eventLoopCount
        configuration.connectionsMax = settings.connectionsMax
        return configuration
    }

    private func announce(_ server: HTTPServer, _ member: ClusterMember) throws {
        guard let port = server.address.port else { throw SettingsError(description: "'\(settings.host)' is not an Internet address") }
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        logger.notice("serving the Secrets Manager API", metadata: ["address": "\(host):\(port)", "event_loops": "\(settings.eventLoopCount)"])
        if let address = settings.apiAdvertise ?? NodeAddress(host: settings.host, port: UInt16(port)) { member.announce(apiAddress: address) }
        try TextFile.write("\(host):\(port)\n", to: directory.addressFile)
    }
}
