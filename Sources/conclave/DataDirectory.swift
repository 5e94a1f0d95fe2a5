internal import Glibc

/// The places in a node's data directory, and the lock that keeps a second process out.
struct DataDirectory: Sendable {
    let path: String

    /// Wrapped keys; see `Keyring`.
    var keyringFile: String { path + "/keyring" }
    /// Default place of the seal's key. It belongs on another disk in a real deployment.
    var sealKeyFile: String { path + "/seal.key" }
    /// The replicated state.
    var stateDirectory: String { path + "/state" }
    /// The log of mutations.
    var logDirectory: String { path + "/log" }
    /// Name of the region, one line.
    var regionFile: String { path + "/region" }
    var tlsDirectory: String { path + "/tls" }
    /// Certificate of the node's own authority, for clients to trust.
    var authorityCertificateFile: String { tlsDirectory + "/ca.pem" }
    /// Key of the node's own authority, sealed as a record.
    var authorityKeyFile: String { tlsDirectory + "/ca.key.sealed" }
    /// Names and addresses that the node's certificate is for, one a line.
    var certificateNamesFile: String { tlsDirectory + "/names" }
    /// Which node of which cluster this is; see `NodeIdentity`.
    var identityFile: String { path + "/identity" }
    /// Counts the node's lives.
    var incarnationFile: String { path + "/incarnation" }
    /// The nodes of the cluster, as last known.
    var knownNodesFile: String { path + "/nodes" }
    /// Snapshot images, made here and on their way in.
    var snapshotDirectory: String { path + "/snapshots" }
    /// The key of a node that has asked to join and has no answer yet.
    var pendingJoinKeyFile: String { path + "/joining.key" }
    /// Where `conclave cluster` speaks to the running node.
    var adminSocket: String { path + "/admin.sock" }
    /// `host:port` of health and metrics while the node serves.
    var opsAddressFile: String { path + "/ops-address" }
    /// `host:port` of the API while the node serves.
    var addressFile: String { path + "/address" }

    /// Whether a node was made here or has joined.
    var holdsNode: Bool { access(keyringFile, F_OK) == 0 }

    /// Makes the directories, for their owner alone.
    ///
    /// - Throws: ``SettingsError`` if the directory already holds a node, or cannot be made.
    func create() throws(SettingsError) {
        for directory in [path, stateDirectory, logDirectory, snapshotDirectory, tlsDirectory] {
            guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
                throw SettingsError(description: "cannot create '\(directory)': \(String(cString: strerror(errno)))")
            }
        }
        guard !holdsNode else {
            throw SettingsError(description: "'\(path)' already holds a node; start it with: conclave serve --data-dir '\(path)'")
        }
        try checkOwner()
    }

    /// Takes the lock of an existing node's directory; the process holds it until it ends.
    ///
    /// - Throws: ``SettingsError`` if there is no node, another process runs it, or others can read it.
    func lock() throws(SettingsError) {
        guard holdsNode else {
            throw SettingsError(
                description: "'\(path)' holds no node; make a cluster with: conclave operator init --data-dir '\(path)' --region us-east-1, or join one "
                    + "with: conclave serve --data-dir '\(path)' --join HOST:PORT")
        }
        try takeLock()
    }

    /// Takes the lock of a directory that may hold no node yet.
    func takeLock() throws(SettingsError) {
        try checkOwner()
        let descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SettingsError(description: "cannot open '\(path)/lock': \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw SettingsError(description: "another process runs the node in '\(path)'; stop it first")
        }
        // The descriptor stays open: the kernel gives the lock back when the process ends, however it ends.
    }

    /// The region that the node was made for.
    func region() throws(SettingsError) -> String {
        let text = try TextFile.read(regionFile)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private func checkOwner() throws(SettingsError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SettingsError(description: "cannot inspect '\(path)': \(String(cString: strerror(errno)))") }
        guard status.st_uid == geteuid() else {
            throw SettingsError(description: "'\(path)' belongs to another user; run conclave as its owner")
        }
        guard status.st_mode & 0o077 == 0 else { throw SettingsError(description: "'\(path)' is open to others; run: chmod 700 '\(path)'") }
    }
}
