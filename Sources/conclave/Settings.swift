internal import Glibc
internal import Logging
internal import struct SecretStore.NodeAddress
internal import Yams

/// A setting that is missing or wrong, in one sentence that says what to do.
struct SettingsError: Error, CustomStringConvertible {
    let description: String
}

/// Everything that `conclave serve` can be told.
///
/// Each setting has one name. It is a flag (`--data-dir`), an environment variable (`CONCLAVE_DATA_DIR`) and a key of the
/// YAML file given by `--config` (`data-dir`); the flag wins over the variable, the variable over the file. A key of the file
/// that is not in this list stops the start.
struct ServeSettings: Sendable {
    /// `data-dir`: directory made by `conclave operator init`. No default.
    var dataDirectory: String
    /// `listen`: address and port of the AWS API, over TLS. Port 0 lets the system choose.
    var host = "127.0.0.1"
    var port = 8443
    /// `peer-listen`: address and port for the other nodes of the cluster, over mutual TLS. Port 0 lets the system choose.
    var peerHost = "127.0.0.1"
    var peerPort = 8444
    /// `peer-advertise`: what other nodes dial, `host:port`. Default: where this node listens for them.
    var peerAdvertise: NodeAddress?
    /// `api-advertise`: what clients dial, as other nodes tell it. Default: where this node listens for them.
    var apiAdvertise: NodeAddress?
    /// `ops-listen`: address and port of health and metrics, without TLS or signature. Default: none.
    var opsAddress: (host: String, port: Int)?
    /// `join`: peer addresses of members of the cluster that this node is to join, separated by commas. Without meaning once it has.
    var joinAddresses: [NodeAddress] = []
    /// `join-token-file`: the token, if it is not in the environment variable CONCLAVE_JOIN_TOKEN.
    var joinTokenFile: String?
    /// `tls-names`: DNS names and IP addresses for the API's certificate, separated by commas, besides those of the directory.
    var tlsNames: [String] = []
    /// `seal-key-file`: the 32-byte key that opens the root key. Default: `seal.key` in the data directory.
    var sealKeyFile: String
    /// `tls-certificate-file`, `tls-key-file`: PEM files of a certificate of your own; without them the node's own CA issues one.
    var certificateFiles: (certificate: String, key: String)?
    /// `event-loops`: threads that serve connections, 1 to 256. Default: the number of cores.
    var eventLoopCount: Int
    /// `connections-max`: open client connections; one more is closed at once. Default 10,000.
    var connectionsMax = 10_000
    /// `log-level`: trace, debug, info, notice, warning, error or critical. Default info.
    var logLevel = Logger.Level.info
    /// `reserve-free-bytes`: writes are refused while the file system has less free space. Default 256 MiB.
    var reserveFreeByteCount = 256 << 20
    /// `shutdown-grace-seconds`: how long requests in flight may take after SIGTERM, 0 to 3,600. Default 30.
    var shutdownGraceSeconds = 30

    static let names = [
        "data-dir", "listen", "peer-listen", "peer-advertise", "api-advertise", "ops-listen", "join", "join-token-file", "tls-names", "seal-key-file", "tls-certificate-file", "tls-key-file", "event-loops", "connections-max", "log-level",
        "reserve-free-bytes", "shutdown-grace-seconds",
    ]

    /// - Throws: ``SettingsError`` for a missing, unknown or unusable setting.
    init(_ source: SettingsSource) throws(SettingsError) {
        guard let dataDirectory = source.text("data-dir") else {
            throw SettingsError(description: "no data directory: give --data-dir, or CONCLAVE_DATA_DIR, or data-dir in the configuration file")
        }
        self.dataDirectory = dataDirectory
        sealKeyFile = source.text("seal-key-file") ?? DataDirectory(path: dataDirectory).sealKeyFile
        eventLoopCount = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        if let listen = source.text("listen") { (host, port) = try Self.address(listen) }
        if let listen = source.text("peer-listen") { (peerHost, peerPort) = try Self.address(listen) }
        peerAdvertise = try source.text("peer-advertise").map { text throws(SettingsError) in try Self.nodeAddress(text) }
        apiAdvertise = try source.text("api-advertise").map { text throws(SettingsError) in try Self.nodeAddress(text) }
        opsAddress = try source.text("ops-listen").map { text throws(SettingsError) in try Self.address(text) }
        for text in source.text("join")?.split(separator: ",") ?? [] { joinAddresses.append(try Self.nodeAddress(String(text))) }
        joinTokenFile = source.text("join-token-file")
        tlsNames = source.text("tls-names")?.split(separator: ",").map(String.init) ?? []
        switch (source.text("tls-certificate-file"), source.text("tls-key-file")) {
        case (let certificate?, let key?): certificateFiles = (certificate, key)
        case (nil, nil): certificateFiles = nil
        default: throw SettingsError(description: "tls-certificate-file and tls-key-file belong together: give both or neither")
        }
        try source.set(&eventLoopCount, "event-loops", in: 1...256)
        try source.set(&connectionsMax, "connections-max", in: 1...1_000_000)
        try source.set(&reserveFreeByteCount, "reserve-free-bytes", in: 0...(1 << 50))
        try source.set(&shutdownGraceSeconds, "shutdown-grace-seconds", in: 0...3_600)
        if let text = source.text("log-level") {
            guard let level = Logger.Level(rawValue: text) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw SettingsError(description: "log-level is '\(text)'; it must be one of \(levels)")
            }
            logLevel = level
        }
    }

    /// An address that others dial.
    static func nodeAddress(_ text: String) throws(SettingsError) -> NodeAddress {
        guard let address = NodeAddress(text) else {
            throw SettingsError(description: "'\(text)' is not an address with a port, like node-2.example:8444 or [::1]:8444")
        }
        return address
    }

    /// Splits `host:port`; an IPv6 address stands in brackets.
    static func address(_ text: String) throws(SettingsError) -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw SettingsError(description: "'\(text)' is not an address with a port, like 127.0.0.1:8443 or [::1]:8443")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.isEmpty || host.contains(":") {
            throw SettingsError(description: "'\(text)' is not an address with a port, like 127.0.0.1:8443 or [::1]:8443")
        }
        return (host, Int(port))
    }
}

/// Where settings come from, in order of precedence.
struct SettingsSource {
    var flags: [String: String]
    var environment: [String: String]
    var file: [String: String]

    /// - Parameters:
    ///   - flags: What stood on the command line, by setting name.
    ///   - configurationFile: Path of a YAML file with one mapping of setting names to values.
    init(flags: [String: String], environment: [String: String], configurationFile: String?) throws(SettingsError) {
        self.flags = flags
        self.environment = environment
        file = try configurationFile.map { path throws(SettingsError) in try Self.read(path) } ?? [:]
    }

    func text(_ name: String) -> String? {
        flags[name] ?? environment[Self.variable(name)] ?? file[name]
    }

    /// Replaces `value` if the setting is given.
    func set(_ value: inout Int, _ name: String, in range: ClosedRange<Int>) throws(SettingsError) {
        guard let text = text(name) else { return }
        guard let number = Int(text), range.contains(number) else {
            throw SettingsError(description: "\(name) is '\(text)'; it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        value = number
    }

    /// `data-dir` is `CONCLAVE_DATA_DIR`.
    static func variable(_ name: String) -> String {
        "CONCLAVE_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    private static func read(_ path: String) throws(SettingsError) -> [String: String] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: try TextFile.read(path))
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError(description: "'\(path)' is not valid YAML: \(error)")
        }
        guard let node else { return [:] }
        guard let mapping = node.mapping else { throw SettingsError(description: "'\(path)' must hold one mapping of setting names to values") }
        var settings: [String: String] = [:]
        for (key, value) in mapping {
            guard let name = key.scalar?.string, ServeSettings.names.contains(name) else {
                let names = ServeSettings.names.joined(separator: ", ")
                throw SettingsError(description: "'\(path)' has the unknown setting '\(key.scalar?.string ?? "?")'; known are \(names)")
            }
            guard let text = value.scalar?.string else { throw SettingsError(description: "'\(name)' in '\(path)' must be a single value") }
            guard settings.updateValue(text, forKey: name) == nil else { throw SettingsError(description: "'\(name)' stands twice in '\(path)'") }
        }
        return settings
    }
}
