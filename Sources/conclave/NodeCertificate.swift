internal import ClusterIdentity
internal import Glibc
internal import Keyring
internal import OpenSSL
internal import SecretStore

/// The certificate that clients see: issued by the cluster's authority, or the operator's files.
///
/// The server's key exists in memory only and is made anew at each start and renewal.
struct NodeCertificate {
    /// Age at which the node issues the next one, in seconds: two thirds of the validity.
    static let renewalSeconds = ClusterAuthority.apiValiditySeconds / 3 * 2

    /// A fresh server certificate from the cluster's authority.
    static func issue(names: [String], record: ClusterRecord, store: SecretStore, now: Int64) throws -> Credential {
        let names = names.map { CertificateNames.isAddress($0) ? SubjectAlternativeName.ip($0) : .dns($0) }
        return try ClusterAuthority(record, keyring: store.keyring).apiCredential(names: names, now: now)
    }

    /// The operator's own certificate.
    static func load(certificate: String, key: String) throws -> Credential {
        Credential(certificatePEM: try TextFile.read(certificate), privateKeyPEM: try PrivateFile.read(key))
    }
}

/// Names and addresses that a node's API certificate is for: a file, one a line.
enum CertificateNames {
    static func write(_ names: [String], to directory: DataDirectory) throws(SettingsError) {
        try check(names)
        try TextFile.write((["localhost", "127.0.0.1", "::1"] + names).joined(separator: "\n") + "\n", to: directory.certificateNamesFile)
    }

    /// Those of the directory and `more`, each once.
    static func read(_ directory: DataDirectory, more: [String]) throws(SettingsError) -> [String] {
        try check(more)
        var names: [String] = []
        for name in try TextFile.read(directory.certificateNamesFile).split(separator: "\n").map(String.init) + more where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    private static func check(_ names: [String]) throws(SettingsError) {
        for name in names where name.isEmpty || !name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            throw SettingsError(description: "'\(name)' is not a DNS name or an IP address")
        }
    }

    static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
    }
}
