internal import Glibc
internal import Keyring
internal import OpenSSL

/// The certificate that clients see: issued by the node's own authority, or the operator's files.
///
/// The authority's key lies on disk sealed under the domain key; the server's key exists in memory only and is made anew at each start
/// and renewal.
struct NodeCertificate {
    /// How long the authority is valid, in days. Clients hold its certificate, so it outlives the hardware.
    private static let authorityValidityDays = 3_650
    /// How long a server certificate is valid, in seconds: 90 days. A node renews it while it runs.
    static let validitySeconds: Int64 = 90 * 86_400
    /// Age at which the node issues the next one, in seconds: two thirds of the validity.
    static let renewalSeconds: Int64 = 60 * 86_400
    private static let keyTable = "tls"
    private static let keyName = Array("authority-key".utf8)

    let directory: DataDirectory
    let keyring: Keyring

    /// Makes the authority and remembers the names for server certificates.
    func createAuthority(names: [String]) throws {
        for name in names where name.isEmpty || !name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            throw SettingsError(description: "'\(name)' is not a DNS name or an IP address")
        }
        let authority = try CertificateAuthority.make(commonName: "Conclave \(keyring.clusterID.prefix(8))", validityDays: Self.authorityValidityDays, now: WallClock.seconds)
        let key = try authority.privateKeyPEM()
        let sealed = try keyring.sealRecord(key.bytes, table: Self.keyTable, key: Self.keyName.span.bytes, revision: 1, term: keyring.currentTerm)
        try PrivateFile.write(sealed.span.bytes, to: directory.authorityKeyFile)
        try TextFile.write(authority.certificatePEM, to: directory.authorityCertificateFile)
        try TextFile.write((["localhost", "127.0.0.1", "::1"] + names).joined(separator: "\n") + "\n", to: directory.certificateNamesFile)
    }

    /// A fresh server certificate from the node's authority.
    func issue() throws -> Credential {
        let sealed = try PrivateFile.read(directory.authorityKeyFile).withUnsafeBytes { [UInt8]($0) }
        var opened = try keyring.openRecord(sealed.span.bytes, table: Self.keyTable, key: Self.keyName.span.bytes)
        let key = SecretBytes(copying: opened.span.bytes)
        opened.withUnsafeMutableBytes { wipe($0) }
        let authority = try CertificateAuthority(certificatePEM: try TextFile.read(directory.authorityCertificateFile), privateKeyPEM: key)
        let names = try TextFile.read(directory.certificateNamesFile).split(separator: "\n").map { name in
            Self.isAddress(name) ? SubjectAlternativeName.ip(String(name)) : .dns(String(name))
        }
        let template = CertificateTemplate(commonName: "conclave", names: names, purposes: [.serverAuthentication], validitySeconds: Self.validitySeconds)
        return try authority.issue(template, now: WallClock.seconds)
    }

    /// The operator's own certificate.
    static func load(certificate: String, key: String) throws -> Credential {
        Credential(certificatePEM: try TextFile.read(certificate), privateKeyPEM: try PrivateFile.read(key))
    }

    private static func isAddress(_ name: Substring) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, String(name), &address) == 1 || inet_pton(AF_INET6, String(name), &address) == 1
    }
}
