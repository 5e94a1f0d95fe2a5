internal import Access
internal import Gateway
internal import Glibc
internal import Keyring
internal import Logging
internal import NIOCore
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
        try directory.lock()
        unlink(directory.addressFile)
        let keyring = try Keyring.open(path: directory.keyringFile, seal: try FileSeal(keyFile: settings.sealKeyFile))
        let region = try directory.region()
        let node = try NodeState(
            directory: directory, keyring: keyring, region: region, reserveFreeByteCount: settings.reserveFreeByteCount, logger: logger)
        let readPlans = ReadPlans()
        let housekeeping = NodeHousekeeping(node, keyTerm: keyring.currentTerm, logger: logger) { readPlans.age() }
        let tls = TLSContextBox(try TLSContext.api(credential: try credential(keyring)))
        let server = try await HTTPServer.start(
            serverConfiguration(), tls: tls, responder: responder(node, housekeeping.recorder, readPlans, region), logger: logger)
        try announce(server)

        await serve(until: process, tls, keyring)

        logger.notice("stopping: no new connections, requests in flight are answered")
        unlink(directory.addressFile)
        await server.shutdown(grace: .seconds(Int64(settings.shutdownGraceSeconds)))
        housekeeping.close()
        node.close()
        logger.notice("stopped")
    }

    private func responder(_ node: NodeState, _ recorder: AccessRecorder, _ readPlans: ReadPlans, _ region: String) -> SecretsManagerResponder {
        let keys = AccessKeyDirectory(store: node.store, logger: logger)
        let verifier = RequestVerifier(region: region, service: "secretsmanager", acceptsPresigned: true) { keys.find($0) }
        let services = Services(
            store: node.store, log: node.log, applier: node.log.applier, accessRecorder: recorder, readPlans: readPlans,
            logger: logger,
            clock: { Timestamp(millisecondsSince1970: WallClock.milliseconds) })
        return SecretsManagerResponder(verifier: verifier, services: services, logger: logger)
    }

    /// Waits for the stop; renews the certificate meanwhile.
    private func serve(until process: ProcessEvents, _ tls: TLSContextBox, _ keyring: Keyring) async {
        var issuedAt = WallClock.seconds
        for await event in process.events {
            switch event {
            case .stop: return
            case .reload: break
            case .hour: if settings.certificateFiles != nil || WallClock.seconds - issuedAt < NodeCertificate.renewalSeconds { continue }
            }
            do {
                tls.replace(with: try TLSContext.api(credential: try credential(keyring)))
                issuedAt = WallClock.seconds
                logger.notice("new connections get the new certificate")
            } catch {
                logger.error("the certificate cannot be replaced; the old one stays in use", metadata: ["error": "\(error)"])
            }
        }
    }

    private func credential(_ keyring: Keyring) throws -> Credential {
        if let files = settings.certificateFiles { return try NodeCertificate.load(certificate: files.certificate, key: files.key) }
        return try NodeCertificate(directory: directory, keyring: keyring).issue()
    }

    private func serverConfiguration() -> HTTPServer.Configuration {
        var configuration = HTTPServer.Configuration()
        configuration.host = settings.host
        configuration.port = settings.port
        configuration.eventLoopCount = settings.eventLoopCount
        configuration.connectionsMax = settings.connectionsMax
        return configuration
    }

    private func announce(_ server: HTTPServer) throws {
        guard let port = server.address.port else { throw SettingsError(description: "'\(settings.host)' is not an Internet address") }
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        logger.notice("serving the Secrets Manager API", metadata: ["address": "\(host):\(port)", "event_loops": "\(settings.eventLoopCount)"])
        try TextFile.write("\(host):\(port)\n", to: directory.addressFile)
    }
}
