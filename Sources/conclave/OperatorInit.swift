internal import Access
internal import ArgumentParser
internal import ClusterIdentity
internal import Glibc
internal import Keyring
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Node
internal import OpenSSL
internal import SecretStore
internal import struct Raft.NodeID

/// `conclave operator init`: makes the keys, the certificate authority, the account and the first access key of a new node.
struct OperatorInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a cluster and its first node: keys, certificates, the account and its root access key.",
        discussion: """
            Prints the root access key once; it is stored encrypted and cannot be shown again. To choose the key yourself, give \
            --access-key-id and put its secret into the environment variable \(Self.secretVariable): never on a command line, \
            where other users of the host could read it.
            """)

    static let secretVariable = "CONCLAVE_SECRET_ACCESS_KEY"

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "Directory for everything the node stores; it is created.")
    var dataDir: String

    @Option(help: "Name of the AWS region that this cluster stands for.")
    var region: String

    @Option(help: "The account, 12 digits. Chosen at random if not given.")
    var account: String?

    @Option(help: "Access key id of the account's root. Chosen at random if not given.")
    var accessKeyID: String?

    @Option(help: "File for the 32-byte seal key, made here; put it on another disk than the data. (default: DATA-DIR/seal.key)")
    var sealKeyFile: String?

    @Option(help: "Address and port at which other nodes will reach this one.")
    var peerListen = "127.0.0.1:8444"

    @Option(help: "Address and port at which clients will reach this node.")
    var listen = "127.0.0.1:8443"

    @Option(name: .customLong("tls-name"), help: "A further DNS name or IP address for the node's certificate. Repeatable.")
    var tlsNames: [String] = []

    @Option(help: "Output: text or json.")
    var format = Format.text

    func run() async throws {
        let key = try accessKey()
        try checkRegion()
        let directory = DataDirectory(path: dataDir)
        try directory.create()
        let sealPath = sealKeyFile ?? directory.sealKeyFile
        guard Glibc.access(sealPath, F_OK) != 0 else { throw SettingsError(description: "'\(sealPath)' is there already; move it away or name another file") }
        try FileSeal.createKeyFile(at: sealPath)
        // The keyring file marks a directory as initialised, so everything else is in place before it gets its name.
        let draft = directory.keyringFile + ".draft"
        let keyring = try Keyring.create(clusterID: Keyring.randomIdentifier(), seal: try FileSeal(keyFile: sealPath), path: draft)
        try CertificateNames.write(tlsNames, to: directory)
        try TextFile.write(region + "\n", to: directory.regionFile)
        try await writeState(key, keyring: keyring, directory: directory)
        guard rename(draft, directory.keyringFile) == 0 else {
            throw SettingsError(description: "cannot create '\(directory.keyringFile)': \(String(cString: strerror(errno)))")
        }
        report(key, keyring: keyring, directory: directory)
    }

    // MARK: Input

    private func accessKey() throws -> AccessKey {
        let account = account ?? AccountNumber.random()
        guard AccountNumber.isWellFormed(account) else { throw SettingsError(description: "'\(account)' is not an account: give 12 digits") }
        guard let accessKeyID else { return .random(account: account, generation: 1) }
        guard AccessKey.isWellFormed(id: accessKeyID) else {
            throw SettingsError(description: "'\(accessKeyID)' is not an access key id: give 16 to 128 letters and digits that do not begin with ASIA")
        }
        guard let variable = getenv(Self.secretVariable) else { throw SettingsError(description: "put the secret of '\(accessKeyID)' into \(Self.secretVariable)") }
        let secret = SecretBytes(copying: UnsafeRawBufferPointer(start: variable, count: strlen(variable)))
        guard AccessKey.isWellFormed(secret: secret.bytes) else {
            throw SettingsError(description: "the value of \(Self.secretVariable) is not a secret access key: it must be 40 characters of A-Z, a-z, 0-9, / and +")
        }
        return AccessKey(id: accessKeyID, secret: secret, account: account, isActive: true, generation: 1)
    }

    /// A region name stands in every ARN and signature, so it keeps to the characters of AWS's own.
    private func checkRegion() throws(SettingsError) {
        let isAllowed = region.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-") }
        guard (1...64).contains(region.utf8.count), isAllowed else {
            throw SettingsError(description: "'\(region)' is not a region name: give 1 to 64 lower-case letters, digits and hyphens, like us-east-1")
        }
    }

    // MARK: State

    /// Runs the new node for a moment, so that its first entries are in the log like all others.
    private func writeState(_ key: AccessKey, keyring: Keyring, directory: DataDirectory) async throws {
        guard let account = AccountID(key.account) else { preconditionFailure("the account was checked when the key was made") }
        let authority = try ClusterAuthority.make(keyring: keyring, now: WallClock.seconds)
        try TextFile.write(authority.authorityPEM, to: directory.authorityCertificateFile)
        let nodeKey = try PrivateKey.generateP256()
        let first = NewNode(
            peerAddress: try ServeSettings.nodeAddress(peerListen), apiAddress: try ServeSettings.nodeAddress(listen),
            publicKey: try nodeKey.publicKeySHA256(), version: Conclave.version)
        let data = try NodeData(directory: directory, keyring: keyring, region: region, node: NodeID(1), reserveFreeByteCount: 0)
        var logger = Logger(label: "conclave")
        logger.logLevel = .warning
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await Node.start(
            data.settings, store: data.store, eventLoop: group.next(), logger: logger,
            fatal: { sentence in
                FileHandles.say(sentence)
                _exit(1)
            })
        let wrapped = keyring.wrapCredential(key.secret, accessKeyID: key.id, account: key.account)
        let commands: [Command] = [
            .createAccount, .putAccessKey(PutAccessKey(id: key.id, wrappedSecret: wrapped, isActive: true)),
            .cluster(.createCluster(CreateCluster(authorityPEM: authority.authorityPEM, sealedAuthorityKey: authority.sealedKey, firstNode: first))),
        ]
        for command in commands {
            let mutation = Mutation(account: account, at: WallClock.now, keyTerm: keyring.currentTerm, command: command)
            let outcome = try await withCheckedThrowingContinuation { continuation in node.propose(mutation) { continuation.resume(with: $0) } }
            if case .failed(let failure) = outcome { throw SettingsError(description: "the cluster cannot be made: \(failure)") }
        }
        await withCheckedContinuation { continuation in node.applier.whenEverythingIsVisible { continuation.resume() } }
        guard let record = try data.store.clusterRecord() else { preconditionFailure("it was made and is visible") }
        let request = try CertificateRequest(verifying: try CertificateRequest.make(for: nodeKey))
        let certificate = try ClusterAuthority(record, keyring: keyring).nodeCertificate(for: NodeID(1), request: request, now: WallClock.seconds)
        let identity = NodeIdentity(
            clusterID: keyring.clusterID, node: NodeID(1), certificatePEM: certificate.pem, authorityPEM: authority.authorityPEM,
            privateKeyPEM: try nodeKey.pem())
        try identity.write(to: directory.identityFile, keyring: keyring)
        await node.close()
        try await group.shutdownGracefully()
    }

    // MARK: Output

    private func report(_ key: AccessKey, keyring: Keyring, directory: DataDirectory) {
        let facts = [
            ("cluster_id", keyring.clusterID), ("region", region), ("account", key.account), ("access_key_id", key.id),
            ("ca_file", directory.authorityCertificateFile),
        ]
        // The one place where a secret is shown. It goes to standard output byte by byte and never becomes a `String`; its
        // characters need no escaping.
        switch format {
        case .json:
            var line = "{"
            for (name, value) in facts { line += "\"\(name)\":\"\(Self.escaped(value))\"," }
            write(line + "\"secret_access_key\":\"")
            write(key.secret)
            write("\"}\n")
        case .text:
            for (name, value) in facts { write(name.padding(to: 18) + value + "\n") }
            write("secret_access_key".padding(to: 18))
            write(key.secret)
            write("\n\nThe secret access key is shown this once. Start the node with: conclave serve --data-dir '\(dataDir)'\n")
        }
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\u{0}"..."\u{1f}": result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private func write(_ text: String) { text.utf8CString.withUnsafeBytes { Self.write($0.dropLast()) } }
    private func write(_ secret: SecretBytes) { secret.withUnsafeBytes { Self.write($0[...]) } }

    private static func write(_ bytes: Slice<UnsafeRawBufferPointer>) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

extension String {
    /// Blanks added up to `count` characters.
    fileprivate func padding(to count: Int) -> String { self + String(repeating: " ", count: max(1, count - self.count)) }
}
