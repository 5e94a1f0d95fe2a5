import Testing

@testable import OpenSSL

private let now: Int64 = 1_800_000_000

@Suite("certificate requests")
struct CertificateRequestTests {
    let key: PrivateKey
    let request: [UInt8]

    init() throws {
        key = try PrivateKey.generateP256()
        request = try CertificateRequest.make(for: key)
    }

    @Test("a request proves its key, and a certificate is issued for that key and no other")
    func issued() throws {
        let verified = try CertificateRequest(verifying: request)
        #expect(try verified.publicKeySHA256 == key.publicKeySHA256())
        let authority = try CertificateAuthority.make(commonName: "A", validityDays: 10, now: now)
        let template = CertificateTemplate(commonName: "n", names: [.uri("u:1")], purposes: [.clientAuthentication], validitySeconds: 3_600)
        let certificate = try authority.issue(template, publicKeyPEM: verified.publicKeyPEM, now: now)
        #expect(certificate.publicKeySHA256 == verified.publicKeySHA256)
        #expect(certificate.uris == ["u:1"])
    }

    @Test("a request with any byte changed, cut or added is refused, or is the same request")
    func altered() throws {
        let original = try CertificateRequest(verifying: request)
        for index in request.indices {
            var altered = request
            altered[index] ^= 0x01
            // OpenSSL reads some lengths leniently; what it reads then is signed by the same key or refused.
            if let read = try? CertificateRequest(verifying: altered) { #expect(read.publicKeySHA256 == original.publicKeySHA256) }
        }
        for count in 0..<request.count { #expect(throws: CertificateError.self) { try CertificateRequest(verifying: Array(request.prefix(count))) } }
        #expect(throws: CertificateError.self) { try CertificateRequest(verifying: request + [0]) }
        #expect(throws: CertificateError.self) { try CertificateRequest(verifying: [UInt8](repeating: 0x30, count: 100_000)) }
    }

    @Test("another key's signature proves nothing")
    func forged() throws {
        // Both have a key, then a signature; the forged one is the first with the second's key bytes in place of its own.
        let other = try CertificateRequest.make(for: PrivateKey.generateP256())
        let keyRange = try #require(Self.publicKeyRange(request))
        let otherRange = try #require(Self.publicKeyRange(other))
        var forged = request
        forged.replaceSubrange(keyRange, with: other[otherRange])
        let error = #expect(throws: CertificateError.self) { try CertificateRequest(verifying: forged) }
        #expect(error?.code == .keyMismatch)
    }

    /// The 64 bytes behind the mark of an uncompressed point: BIT STRING of 66 bytes, no unused bits, 04.
    private static func publicKeyRange(_ der: [UInt8]) -> Range<Int>? {
        let mark: [UInt8] = [0x03, 0x42, 0x00, 0x04]
        guard let start = der.indices.first(where: { der[$0...].starts(with: mark) }) else { return nil }
        return (start + mark.count)..<(start + mark.count + 64)
    }

    @Test("a certificate's own hash tells it from every other of the same key")
    func certificateHash() throws {
        let authority = try CertificateAuthority.make(commonName: "A", validityDays: 10, now: now)
        #expect(try Certificate(pem: authority.certificatePEM).sha256 == authority.certificate.sha256)
        let template = CertificateTemplate(commonName: "n", names: [.uri("u:1")], purposes: [.clientAuthentication], validitySeconds: 3_600)
        let pem = try CertificateRequest(verifying: request).publicKeyPEM
        let (a, b) = (try authority.issue(template, publicKeyPEM: pem, now: now), try authority.issue(template, publicKeyPEM: pem, now: now))
        #expect(a.publicKeySHA256 == b.publicKeySHA256 && a.sha256 != b.sha256)
    }
}
