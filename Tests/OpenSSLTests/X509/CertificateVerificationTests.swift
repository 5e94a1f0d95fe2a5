import Testing

@testable import OpenSSL

private let now: Int64 = 1_800_000_000
private let day: Int64 = 86_400

@Suite("certificate verification")
struct CertificateVerificationTests {
    let authority: CertificateAuthority
    let stranger: CertificateAuthority

    init() throws {
        authority = try .make(commonName: "Authority", validityDays: 100, now: now)
        stranger = try .make(commonName: "Authority", validityDays: 100, now: now)
    }

    private func leaf(
        _ names: [SubjectAlternativeName] = [.dns("node.example"), .ip("127.0.0.1"), .ip("::1"), .uri("spiffe://c/node/1")],
        _ purposes: Set<CertificatePurpose> = [.serverAuthentication, .clientAuthentication]
    ) throws -> Certificate {
        let template = CertificateTemplate(commonName: "other.example", names: names, purposes: purposes, validitySeconds: 10 * day)
        return try Certificate(pem: authority.issue(template, now: now).certificatePEM)
    }

    private func result(_ body: () throws(CertificateError) -> Void) -> Int {
        do throws(CertificateError) { try body() } catch {
            guard case .rejected(let number) = error.code else { return -1 }
            return number
        }
        return 0
    }

    @Test(
        "time decides",
        arguments: [
            (-day, 9), (-CertificateAuthority.clockSkewSeconds, 0), (0, 0), (10 * day - 1, 0), (10 * day, 10), (99 * day, 10), (101 * day, 10),
        ] as [(Int64, Int)])
    func time(offset: Int64, expected: Int) throws {
        let leaf = try leaf()
        let number = result { () throws(CertificateError) in
            try leaf.verify(against: [authority.certificate], for: .serverAuthentication, now: now + offset)
        }
        #expect(number == expected)
    }

    @Test(
        "purpose decides",
        arguments: [
            ([.serverAuthentication], .serverAuthentication, 0), ([.clientAuthentication], .serverAuthentication, 26),
            ([.serverAuthentication], .clientAuthentication, 26), ([.clientAuthentication], .clientAuthentication, 0),
            ([.serverAuthentication, .clientAuthentication], .clientAuthentication, 0),
        ] as [(Set<CertificatePurpose>, CertificatePurpose, Int)])
    func purpose(has: Set<CertificatePurpose>, needs: CertificatePurpose, expected: Int) throws {
        let leaf = try leaf([.dns("a")], has)
        #expect(result { () throws(CertificateError) in try leaf.verify(against: [authority.certificate], for: needs, now: now) } == expected)
    }

    @Test(
        "names decide, and the common name never counts",
        arguments: [
            (.host("node.example"), 0), (.host("NODE.example"), 0), (.host("other.example"), 62), (.host("x.node.example"), 62),
            (.host("127.0.0.1"), 0), (.host("127.0.0.2"), 64), (.host("::1"), 0), (.host("0:0:0:0:0:0:0:1"), 0),
            (.uri("spiffe://c/node/1"), 0), (.uri("spiffe://c/node/11"), 62), (.uri("spiffe://c/node/"), 62),
            (.uri("SPIFFE://c/node/1"), 62), (.uri(""), 62),
        ] as [(PeerName, Int)])
    func names(name: PeerName, expected: Int) throws {
        let leaf = try leaf()
        let number = result { () throws(CertificateError) in
            try leaf.verify(against: [authority.certificate], for: .serverAuthentication, name: name, now: now)
        }
        #expect(number == expected)
    }

    @Test("two URIs leave open which node it is, so neither counts")
    func twoURIs() throws {
        let leaf = try leaf([.uri("spiffe://c/node/1"), .uri("spiffe://c/node/2")])
        for uri in leaf.uris {
            let number = result { () throws(CertificateError) in
                try leaf.verify(against: [authority.certificate], for: .serverAuthentication, name: .uri(uri), now: now)
            }
            #expect(number == 62)
        }
    }

    @Test("only an authority that was named is trusted, even when another has the same name; two may be")
    func authorities() throws {
        let leaf = try leaf()
        let stranger = stranger.certificate
        let authority = authority.certificate
        #expect(result { () throws(CertificateError) in try leaf.verify(against: [stranger], for: .serverAuthentication, now: now) } == 20)
        #expect(result { () throws(CertificateError) in try leaf.verify(against: [], for: .serverAuthentication, now: now) } == 20)
        #expect(result { () throws(CertificateError) in try leaf.verify(against: [stranger, authority], for: .serverAuthentication, now: now) } == 0)
        // A leaf that is trusted by mistake must not vouch for itself.
        #expect(result { () throws(CertificateError) in try leaf.verify(against: [leaf], for: .serverAuthentication, now: now) } != 0)
    }

    @Test("nothing is trusted that a leaf signed, or an intermediate authority under ours (path length 0)", .timeLimit(.minutes(1)))
    func signersBelow() async throws {
        // OpenSSL's tools make what our own types refuse to make.
        let template = CertificateTemplate(commonName: "leaf", names: [.dns("leaf")], purposes: [.serverAuthentication], validitySeconds: day)
        let leaf = try authority.issue(template, now: now)
        let script = """
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout i.key -out i.csr -subj /CN=intermediate 2>/dev/null
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout e.key -out e.csr -subj /CN=end 2>/dev/null
            openssl x509 -req -in e.csr -CA leaf.pem -CAkey leaf.key -set_serial 7 -days 36500 -extfile i.ext 2>/dev/null
            openssl x509 -req -in i.csr -CA ca.pem -CAkey ca.key -set_serial 8 -days 36500 -extfile ca.ext -out i.pem 2>/dev/null
            openssl x509 -req -in e.csr -CA i.pem -CAkey i.key -set_serial 9 -days 36500 -extfile i.ext 2>/dev/null
            cat i.pem
            """
        let identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"
        let made = try await ChildProcess.run(
            ["sh", "-ec", script],
            files: [
                "leaf.pem": leaf.certificatePEM, "leaf.key": leaf.privateKeyPEM.withUnsafeBytes { String(decoding: $0, as: UTF8.self) },
                "ca.pem": authority.certificatePEM, "ca.key": try authority.privateKeyPEM().withUnsafeBytes { String(decoding: $0, as: UTF8.self) },
                "i.ext": identifiers + "basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n",
                "ca.ext": identifiers + "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
            ])
        let certificates = try Certificate.bundle(pem: made.output)
        try #require(certificates.count == 3, "\(made.text)")
        let signer = try Certificate(pem: leaf.certificatePEM)
        let byLeaf = result { () throws(CertificateError) in
            try certificates[0].verify(against: [authority.certificate], intermediates: [signer], for: .serverAuthentication, now: now)
        }
        #expect(byLeaf == 79 || byLeaf == 24)  // "invalid CA certificate"
        let byIntermediate = result { () throws(CertificateError) in
            try certificates[1].verify(against: [authority.certificate], intermediates: [certificates[2]], for: .serverAuthentication, now: now)
        }
        #expect(byIntermediate == 25)  // "path length constraint exceeded"
    }

    @Test("a bundle is read whole, in order, with text around it")
    func bundle() throws {
        let certificates = [authority.certificate, stranger.certificate, try leaf()]
        let text = "a comment\n" + certificates.map(\.pem).joined(separator: "\n# another\n") + "\nthe end"
        #expect(try Certificate.bundle(pem: text).map(\.serialNumber) == certificates.map(\.serialNumber))
    }

    @Test("broken PEM is an error, never a shorter bundle")
    func brokenPEM() throws {
        let good = authority.certificatePEM
        var flipped = Array(good.utf8)
        flipped[100] = flipped[100] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        flipped[101] = UInt8(ascii: "!")
        let broken = ["", "nonsense", String(good.dropLast(40)), String(decoding: flipped, as: UTF8.self), good + String(good.dropLast(40))]
        for text in broken {
            let error = #expect(throws: CertificateError.self) { try Certificate.bundle(pem: text) }
            #expect(error?.code == .malformed)
        }
    }

    @Test("a private key that is encrypted or broken is refused, and nobody is asked for a passphrase", .timeLimit(.minutes(1)))
    func badKeys() async throws {
        let encrypted = try await ChildProcess.run(
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:test"])
        #expect(encrypted.output.contains("ENCRYPTED"))
        for text in [encrypted.output, "", "nonsense", authority.certificatePEM] {
            let pem = SecretBytes(copying: text.utf8.span.bytes)
            let error = #expect(throws: CertificateError.self) {
                try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: pem)
            }
            #expect(error?.code == .malformed)
        }
    }
}
