import Foundation

@testable import OpenSSL

/// The authorities and credentials of these tests, made once per run.
enum TestCertificates {
    static let now = Int64(Date.now.timeIntervalSince1970)
    static let clusterProtocol = "conclave-test/1"

    static let authority = makeAuthority("Test Authority")
    /// An authority that nobody trusts.
    static let stranger = makeAuthority("Another Authority")

    /// What the API listener shows: `localhost` and the loopback address.
    static let server = issue(names: [.dns("localhost"), .ip("127.0.0.1")], [.serverAuthentication])
    static let node1 = node("1")
    static let node2 = node("2")

    static func uri(_ id: String) -> String { "spiffe://cluster-test/node/\(id)" }
    static func node(_ id: String) -> Credential {
        issue(names: [.uri(uri(id)), .dns("node-\(id).test")], [.serverAuthentication, .clientAuthentication])
    }

    static func issue(
        names: [SubjectAlternativeName], _ purposes: Set<CertificatePurpose>, by issuer: CertificateAuthority = authority, at time: Int64 = now,
        validitySeconds: Int64 = 86_400
    ) -> Credential {
        let template = CertificateTemplate(commonName: "test", names: names, purposes: purposes, validitySeconds: validitySeconds)
        do { return try issuer.issue(template, now: time) } catch { preconditionFailure("test certificate: \(error)") }
    }

    static func makeAuthority(_ name: String, at time: Int64 = now - 10 * 86_400) -> CertificateAuthority {
        do { return try .make(commonName: name, validityDays: 365, now: time) } catch { preconditionFailure("test authority: \(error)") }
    }

    static func apiContext(_ credential: Credential = server) throws -> TLSContext { try .api(credential: credential) }
    static func apiClientContext() throws -> TLSContext { try .apiClient(trusting: authority.certificatePEM) }
    static func peerContext(
        _ credential: Credential, trusting authorityPEM: String = authority.certificatePEM,
        accepts: @escaping @Sendable (Certificate) -> Bool = { _ in true }
    ) throws -> TLSContext {
        try .peer(credential: credential, trusting: authorityPEM, applicationProtocol: clusterProtocol, accepts: accepts)
    }
}
