import NIOCore
import Testing

@testable import OpenSSL

private let files = ["ca.pem": TestCertificates.authority.certificatePEM, "stranger.pem": TestCertificates.stranger.certificatePEM]
private let request = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

private func handshake(_ server: TestServer) async -> ServerEvent? {
    await server.events.first { if case .handshake = $0 { true } else { false } }
}
private func failure(_ server: TestServer) async -> TLSError? {
    if case .error(let error)? = await server.events.first(where: { if case .error = $0 { true } else { false } }) { error } else { nil }
}

@Suite("openssl s_client", .timeLimit(.minutes(1)))
struct OpenSSLClientTests {
    private func client(
        _ server: TestServer, _ options: [String], input: String = request, endsInput: Bool = true
    ) async throws -> ChildProcess.Result {
        let arguments = ["openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", "ca.pem"] + options
        return try await ChildProcess.run(arguments, input: input, endsInput: endsInput, files: files)
    }

    @Test("speaks TLS 1.2 and 1.3 with us and verifies our certificate", arguments: [
        ("-tls1_3", "TLSv1.3", "TLS_AES_256_GCM_SHA384"), ("-tls1_2", "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ])
    func versions(option: String, version: String, suite: String) async throws {
        try await TestServer.with { server in
            let result = try await client(
                server,
                [
                    option, "-ign_eof", "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error", "-alpn",
                    "h2,http/1.1",
                ])
            #expect(result.output.contains("you asked for /hello"), "\(result.text)")
            #expect(result.output.contains("\(version), Cipher is \(suite)"))
            #expect(result.output.contains("Verify return code: 0 (ok)"))
            #expect(result.output.contains("ALPN protocol: http/1.1"))
            #expect(result.output.contains("Server Temp Key: X25519"))
            #expect(result.output.contains("Compression: NONE"))
            let expected = ServerEvent.handshake(
                version: version, applicationProtocol: "http/1.1", serverName: "localhost", isResumed: false)
            #expect(await handshake(server) == expected)
        }
    }

    /// threats.md N1 and N2.
    static let refusals: [(String, [String], Int)] = [
        ("TLS 1.0", ["-tls1", "-cipher", "ALL:@SECLEVEL=0"], 70),
        ("TLS 1.1", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], 70),
        ("CBC", ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA384"], 40),
        ("RSA key exchange", ["-tls1_2", "-cipher", "AES256-GCM-SHA384:AES128-SHA"], 40),
        ("no encryption", ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], 40),
        ("no certificate", ["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"], 40),
        ("only HTTP/2", ["-alpn", "h2"], 120),
        ("no group of ours", ["-tls1_3", "-groups", "X448"], 40),
    ]

    @Test("is refused with the right alert when it offers only what is not good enough", arguments: refusals)
    func refused(name: String, options: [String], alert: Int) async throws {
        try await TestServer.with { server in
            let result = try await client(server, options + ["-ign_eof"])
            #expect(result.status != 0)
            #expect(result.text.contains("SSL alert number \(alert)"), "\(result.text)")
            #expect(!result.text.contains("you asked for"))
            #expect(await failure(server)?.code == .handshakeFailed)
        }
    }

    @Test("resumes a TLS 1.3 session")
    func resumption() async throws {
        try await TestServer.with { server in
            let once = "openssl s_client -connect 127.0.0.1:\(server.port) -CAfile ca.pem -tls1_3 -ign_eof"
            let script = "\(once) -sess_out session < in > first; \(once) -sess_in session < in"
            let result = try await ChildProcess.run(["sh", "-c", script], input: request, files: files)
            #expect(result.output.contains("Reused, TLSv1.3"), "\(result.text)")
            #expect(result.output.contains("you asked for /hello"))
            #expect(result.output.contains("Max Early Data: 0"))
            #expect(await handshake(server) == .handshake(version: "TLSv1.3", applicationProtocol: nil, serverName: nil, isResumed: false))
            #expect(await handshake(server) == .handshake(version: "TLSv1.3", applicationProtocol: nil, serverName: nil, isResumed: true))
        }
    }

    @Test("cannot renegotiate")
    func renegotiation() async throws {
        try await TestServer.with { server in
            let result = try await client(server, ["-tls1_2"], input: "R\n", endsInput: false)
            #expect(result.text.contains("RENEGOTIATING") && result.text.contains("no renegotiation"), "\(result.text)")
            #expect(await handshake(server) != nil)
        }
    }
}

@Suite("curl", .timeLimit(.minutes(1)))
struct CurlTests {
    private func curl(_ server: TestServer, _ options: [String], input: String = "") async throws -> ChildProcess.Result {
        let common = ["curl", "--silent", "--show-error", "--cacert", "ca.pem", "--resolve", "localhost:\(server.port):127.0.0.1", "--max-time", "20"]
        return try await ChildProcess.run(common + options, input: input, files: files)
    }

    @Test("fetches, keeps the connection, and verifies names and addresses")
    func fetches() async throws {
        try await TestServer.with { server in
            let base = "https://localhost:\(server.port)"
            let result = try await curl(server, ["--verbose", "\(base)/a", "\(base)/b", "https://127.0.0.1:\(server.port)/c"])
            #expect(result.output == "you asked for /a\nyou asked for /b\nyou asked for /c\n", "\(result.errors)")
            #expect(result.errors.contains("Re-using existing connection"))
            #expect(result.errors.contains("ALPN: server accepted http/1.1"))
            let old = try await curl(server, ["--tls-max", "1.2", "\(base)/old"])
            #expect(old.output == "you asked for /old\n", "\(old.errors)")
        }
    }

    @Test("sends megabytes and gets them back unchanged")
    func megabytes() async throws {
        try await TestServer.with { server in
            let body = String(repeating: "0123456789abcdef", count: 200_000)
            let result = try await curl(server, ["--data-binary", "@-", "--header", "Expect:", "https://localhost:\(server.port)/"], input: body)
            #expect(result.output == body, "\(result.errors)")
        }
    }

    @Test("refuses us under an authority that it does not trust, and tells us so")
    func unknownAuthority() async throws {
        try await TestServer.with { server in
            let result = try await curl(server, ["--cacert", "stranger.pem", "https://localhost:\(server.port)/"])
            #expect(result.status == 60, "\(result.errors)")
            #expect(await failure(server)?.alertReceived == 48)
        }
    }

    @Test("gets no HTTP when it speaks plain HTTP to the TLS port")
    func plainHTTP() async throws {
        try await TestServer.with { server in
            let result = try await curl(server, ["http://localhost:\(server.port)/"])
            #expect(result.status == 52 || result.status == 56, "\(result.errors)")  // an empty reply, or a reset
            #expect(result.output.isEmpty)
            #expect(await failure(server)?.reason == "http request")
        }
    }
}

@Suite("Python's ssl", .timeLimit(.minutes(1)))
struct PythonClientTests {
    private func python(_ server: TestServer, _ script: String) async throws -> ChildProcess.Result {
        let preamble = """
            import socket, ssl
            context = ssl.create_default_context(cafile="ca.pem")
            def connect(**options):
                raw = socket.create_connection(("127.0.0.1", \(server.port)), timeout=20)
                return context.wrap_socket(raw, server_hostname="localhost", **options)
            def get(s, path, extra=""):
                s.sendall(f"GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\n{extra}\\r\\n".encode())
            def answer(s):
                text = b""
                while b"\\n" not in text.partition(b"\\r\\n\\r\\n")[2]:
                    more = s.recv(65536)
                    if not more: break
                    text += more
                return text.partition(b"\\r\\n\\r\\n")[2].decode().strip()

            """
        return try await ChildProcess.run(["python3", "-c", preamble + script], files: files)
    }

    @Test("speaks both versions, and closes cleanly: our close_notify answers its own")
    func cleanShutdown() async throws {
        try await TestServer.with { server in
            for (limit, version) in [("TLSv1_3", "TLSv1.3"), ("TLSv1_2", "TLSv1.2")] {
                let result = try await python(
                    server,
                    """
                    context.maximum_version = ssl.TLSVersion.\(limit)
                    s = connect()
                    get(s, "/one"); print(answer(s), s.version())
                    s.unwrap()
                    print("clean")
                    """)
                #expect(result.output == "you asked for /one \(version)\nclean\n", "\(result.errors)")
                #expect(await server.events.first { $0 == .inputClosed || $0 == .error(TLSError(code: .truncated)) } == .inputClosed)
            }
        }
    }

    @Test("sees our end of the answer as a clean one")
    func ourClose() async throws {
        try await TestServer.with { server in
            // Without suppress_ragged_eofs a missing close_notify raises SSLEOFError.
            let result = try await python(
                server,
                """
                s = connect(suppress_ragged_eofs=False)
                get(s, "/two", "Connection: close\\r\\n")
                print(answer(s)); print(s.recv(10))
                """)
            #expect(result.output == "you asked for /two\nb''\n", "\(result.errors)")
        }
    }

    @Test("that goes away without close_notify is told as truncation")
    func ragged() async throws {
        try await TestServer.with { server in
            let result = try await python(server, "s = connect(); get(s, '/three'); print(answer(s)); s.close()")
            #expect(result.output == "you asked for /three\n", "\(result.errors)")
            #expect(await failure(server) == TLSError(code: .truncated))
        }
    }

    @Test("pipelines and sends one byte per record")
    func smallRecords() async throws {
        try await TestServer.with { server in
            let result = try await python(
                server,
                """
                s = connect()
                for c in b"GET /slow HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n": s.sendall(bytes([c]))
                print(answer(s))
                s.sendall(b"GET /p HTTP/1.1\\r\\n\\r\\n" * 50)
                text = b""
                while text.count(b"you asked for /p") < 50: text += s.recv(65536)
                print(text.count(b"you asked for /p"))
                """)
            #expect(result.output == "you asked for /slow\n50\n", "\(result.errors)")
        }
    }

    @Test("resumes a session that it kept")
    func resumption() async throws {
        try await TestServer.with { server in
            let result = try await python(
                server,
                """
                s = connect(); get(s, "/a"); answer(s); kept = s.session; s.unwrap()
                s = connect(session=kept); get(s, "/b"); print(answer(s), s.session_reused)
                """)
            #expect(result.output == "you asked for /b True\n", "\(result.errors)")
        }
    }
}
