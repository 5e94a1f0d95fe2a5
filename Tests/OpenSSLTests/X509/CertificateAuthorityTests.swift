import Testing

@testable import OpenSSL

private let now: Int64 = 1_800_000_000
private let day: Int64 = 86_400

private func reveal(_ secret: SecretBytes) -> String { secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

@Suite("certificate authority")
struct CertificateAuthorityTests {
    let authority: CertificateAuthority

    init() throws { authority = try .make(commonName: "Cluster Authority", validityDays: 100, now: now) }

    private func template(_ names: [SubjectAlternativeName] = [.dns("localhost")], seconds: Int64 = day) -> CertificateTemplate {
        CertificateTemplate(commonName: "node", names: names, purposes: [.serverAuthentication, .clientAuthentication], validitySeconds: seconds)
    }

    @Test("a new authority is one, holds from a little before now, and vouches for itself")
    func newAuthority() throws {
        let certificate = authority.certificate
        #expect(certificate.isAuthority)
        #expect(certificate.commonName == "Cluster Authority")
        #expect(certificate.notBefore == now - CertificateAuthority.clockSkewSeconds)
        #expect(certificate.notAfter == now + 100 * day)
        #expect(certificate.names.isEmpty)
    }

    @Test("what is issued holds the names, times and key it was issued for")
    func issued() throws {
        let names: [SubjectAlternativeName] = [
            .dns("node-1.example"), .dns("*.example"), .ip("127.0.0.1"), .ip("2001:db8::1"), .uri("spiffe://cluster/node/1"),
        ]
        let credential = try authority.issue(template(names), now: now)
        let certificate = try Certificate(pem: credential.certificatePEM)
        #expect(certificate.names == names)
        #expect(certificate.uris == ["spiffe://cluster/node/1"])
        #expect(certificate.notBefore == now - CertificateAuthority.clockSkewSeconds)
        #expect(certificate.notAfter == now + day)
        #expect(!certificate.isAuthority)
        #expect(certificate.pem == credential.certificatePEM)
        #expect(reveal(credential.privateKeyPEM).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect("\(credential)".contains("<redacted>"))
    }

    @Test("serial numbers are long, positive and never the same")
    func serialNumbers() throws {
        let serials = try (0..<20).map { _ in try Certificate(pem: authority.issue(template(), now: now).certificatePEM).serialNumber }
        #expect(Set(serials).count == serials.count)
        #expect(serials.allSatisfy { $0.count == 20 && $0[0] < 0x80 })
    }

    @Test("no certificate outlives its authority or begins before it")
    func validityIsCut() throws {
        let long = try Certificate(pem: authority.issue(template(seconds: 1000 * day), now: now).certificatePEM)
        #expect(long.notAfter == authority.certificate.notAfter)
        #expect(throws: CertificateError.self) { try authority.issue(template(), now: now + 101 * day) }
        #expect(throws: CertificateError.self) { try authority.issue(template(seconds: 0), now: now) }
        #expect(throws: CertificateError.self) { try authority.issue(template(seconds: -5), now: now) }
    }

    @Test(
        "a name that could smuggle in another is refused",
        arguments: [
            .dns(""), .dns("a,DNS:b"), .dns("a\u{0}.example"), .dns("a b"), .dns("a\nb"), .dns("bücher.example"),
            .dns(String(repeating: "a", count: 254)), .ip("127.0.0.256"), .ip("localhost"), .ip("127.0.0.1,DNS:b"), .uri(""),
            .uri("spiffe://a b"), .uri("spiffe://ä"), .uri("spiffe://a\u{0}"),
        ] as [SubjectAlternativeName])
    func badNames(name: SubjectAlternativeName) {
        let error = #expect(throws: CertificateError.self) { try authority.issue(template([name]), now: now) }
        #expect(error?.code == .invalidField)
    }

    @Test("a certificate needs a name, a purpose, and a common name of 1 to 64 bytes")
    func badTemplates() {
        var noPurpose = template()
        noPurpose.purposes = []
        var noCommonName = template()
        noCommonName.commonName = ""
        var longCommonName = template()
        longCommonName.commonName = String(repeating: "n", count: 65)
        for bad in [template([]), noPurpose, noCommonName, longCommonName] {
            let error = #expect(throws: CertificateError.self) { try authority.issue(bad, now: now) }
            #expect(error?.code == .invalidField)
        }
    }

    @Test("an authority that was stored is the same one")
    func reload() throws {
        let again = try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: try authority.privateKeyPEM())
        #expect(again.certificatePEM == authority.certificatePEM)
        let leaf = try Certificate(pem: again.issue(template(), now: now).certificatePEM)
        try leaf.verify(against: [authority.certificate], for: .serverAuthentication, now: now)
    }

    @Test("an authority's certificate with another key, or a certificate that may not sign, is refused")
    func badReload() throws {
        let other = try CertificateAuthority.make(commonName: "Other", validityDays: 1, now: now)
        let mismatch = #expect(throws: CertificateError.self) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: try other.privateKeyPEM())
        }
        #expect(mismatch?.code == .keyMismatch)
        let leaf = try authority.issue(template(), now: now)
        let noAuthority = #expect(throws: CertificateError.self) {
            try CertificateAuthority(certificatePEM: leaf.certificatePEM, privateKeyPEM: leaf.privateKeyPEM)
        }
        #expect(noAuthority?.code == .invalidField)
    }

    @Test("a certificate is issued for a public key whose private half we never see")
    func publicKeyOnly() async throws {
        let made = try await ChildProcess.run(["sh", "-c", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkey -pubout"])
        let certificate = try authority.issue(template(), publicKeyPEM: made.output, now: now)
        try certificate.verify(against: [authority.certificate], for: .clientAuthentication, now: now)
        let shown = try await ChildProcess.run(["openssl", "x509", "-in", "c.pem", "-noout", "-pubkey"], files: ["c.pem": certificate.pem])
        #expect(shown.output == made.output)
        let error = #expect(throws: CertificateError.self) { try authority.issue(template(), publicKeyPEM: "nonsense", now: now) }
        #expect(error?.code == .malformed)
    }

    @Test("OpenSSL's own tools agree with what we made")
    func commandLineAgrees() async throws {
        let names: [SubjectAlternativeName] = [.dns("node-1.example"), .ip("127.0.0.1"), .uri("spiffe://cluster/node/1")]
        let leaf = try authority.issue(template(names), now: now)
        let files = ["ca.pem": authority.certificatePEM, "leaf.pem": leaf.certificatePEM]
        for purpose in ["sslserver", "sslclient"] {
            let verified = try await ChildProcess.run(
                ["openssl", "verify", "-x509_strict", "-attime", "\(now)", "-purpose", purpose, "-CAfile", "ca.pem", "leaf.pem"], files: files)
            #expect(verified.status == 0, "\(verified.text)")
        }
        let root = try await ChildProcess.run(["openssl", "x509", "-in", "ca.pem", "-noout", "-text"], files: files).output
        #expect(root.contains("CA:TRUE, pathlen:0") && root.contains("Certificate Sign, CRL Sign") && root.contains("Subject Key Identifier"))
        let text = try await ChildProcess.run(["openssl", "x509", "-in", "leaf.pem", "-noout", "-text"], files: files).output
        #expect(text.contains("DNS:node-1.example, IP Address:127.0.0.1, URI:spiffe://cluster/node/1"))
        #expect(text.contains("TLS Web Server Authentication, TLS Web Client Authentication"))
        #expect(text.contains("X509v3 Key Usage: critical\n                Digital Signature\n"))
        #expect(text.contains("X509v3 Basic Constraints: critical\n                CA:FALSE"))
        #expect(text.contains("Authority Key Identifier") && text.contains("Subject Key Identifier"))
        #expect(text.contains("ecdsa-with-SHA256") && text.contains("ASN1 OID: prime256v1"))
        let pin = try await ChildProcess.run(
            ["sh", "-c", "openssl x509 -in leaf.pem -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r"], files: files)
        #expect(pin.output.hasPrefix(try Certificate(pem: leaf.certificatePEM).publicKeySHA256.hex))
    }
}
