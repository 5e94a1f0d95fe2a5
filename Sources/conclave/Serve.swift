internal import Access
internal import ArgumentParser
internal import Gateway
internal import Glibc
internal import Keyring
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import OpenSSL
internal import SecretStore

/// `conclave serve`: runs a node until SIGTERM or SIGINT.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run a node.",
        discussion: """
            Every setting is a flag, an environment variable (--data-dir is CONCLAVE_DATA_DIR) and a key of the YAML file given by \
            --config; the flag wins over the variable, the variable over the file. SIGTERM stops the node when the requests in flight \
            are answered; SIGHUP reads the certificate anew.
            """)

    @Option(help: "YAML file with settings.")
    var config: String?

    @Option(help: "Directory that 'conclave operator init' made.")
    var dataDir: String?

    @Option(help: "Address and port of the API; port 0 lets the system choose. (default: 127.0.0.1:8443)")
    var listen: String?

    @Option(help: "Address and port for the other nodes of the cluster. (default: 127.0.0.1:8444)")
    var peerListen: String?

    @Option(help: "Address and port that other nodes dial. (default: where this node listens for them)")
    var peerAdvertise: String?

    @Option(help: "Address and port that clients dial. (default: where this node listens for them)")
    var apiAdvertise: String?

    @Option(help: "Address and port of health and metrics, without TLS. (default: none)")
    var opsListen: String?

    @Option(help: "Peer addresses of members of the cluster to join, separated by commas; the token is in CONCLAVE_JOIN_TOKEN.")
    var join: String?

    @Option(help: "File with the join token, in place of the variable.")
    var joinTokenFile: String?

    @Option(help: "Further DNS names and IP addresses for the API's certificate, separated by commas.")
    var tlsNames: String?

    @Option(help: "File with the seal key. (default: DATA-DIR/seal.key)")
    var sealKeyFile: String?

    @Option(help: "PEM file with a certificate of your own, and its chain.")
    var tlsCertificateFile: String?

    @Option(help: "PEM file with that certificate's key.")
    var tlsKeyFile: String?

    @Option(help: "Threads that serve connections. (default: the number of cores)")
    var eventLoops: String?

    @Option(help: "Most client connections. (default: 10000)")
    var connectionsMax: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    @Option(help: "Refuse writes below this much free disk space. (default: 268435456)")
    var reserveFreeBytes: String?

    @Option(help: "How long requests in flight may take after SIGTERM. (default: 30)")
    var shutdownGraceSeconds: String?

    func run() async throws {
        let flags = [
            "data-dir": dataDir, "listen": listen, "peer-listen": peerListen, "peer-advertise": peerAdvertise, "api-advertise": apiAdvertise,
            "ops-listen": opsListen, "join": join, "join-token-file": joinTokenFile, "tls-names": tlsNames, "seal-key-file": sealKeyFile, "tls-certificate-file": tlsCertificateFile,
            "tls-key-file": tlsKeyFile, "event-loops": eventLoops, "connections-max": connectionsMax, "log-level": logLevel,
            "reserve-free-bytes": reserveFreeBytes, "shutdown-grace-seconds": shutdownGraceSeconds,
        ]
        let source = try SettingsSource(flags: flags.compactMapValues { $0 }, environment: Self.environment(), configurationFile: config)
        try await NodeProcess(try ServeSettings(source)).run()
    }

    /// The variables that are settings.
    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        for name in ServeSettings.names {
            let variable = SettingsSource.variable(name)
            if let value = getenv(variable) { variables[variable] = String(cString: value) }
        }
        return variables
    }
}
