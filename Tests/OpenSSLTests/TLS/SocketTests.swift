import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import OpenSSL

@Suite("TLS on real sockets", .timeLimit(.minutes(1)))
struct SocketTests {
    /// A whole ClientHello of our own client.
    private func clientHello() throws -> [UInt8] {
        let session = try TestCertificates.apiClientContext().makeClientSession(to: .host("localhost"))
        _ = try session.handshake()
        return Array(try #require(session.takeCiphertext()).readableBytesView)
    }

    private func error(_ server: TestServer) async -> TLSError? {
        if case .error(let error)? = await server.events.first(where: { if case .error = $0 { true } else { false } }) { error } else { nil }
    }

    @Test("garbage closes the connection, and the next client is served", arguments: 1...5 as ClosedRange<UInt64>)
    func garbage(seed: UInt64) async throws {
        try await TestServer.with { server in
            var random = SeededGenerator(state: seed)
            let raw = try await TestConnection.open(port: server.port)
            try await raw.send(random.bytes(2_000))
            let answer = await raw.receive(.max)
            #expect(answer.count <= 7)
            #expect(await error(server)?.code == .handshakeFailed)
            #expect(await server.events.next() == .closed)
            let good = try await TestConnection.openTLS(port: server.port)
            try await good.send("GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n")
            #expect(await good.receiveToEnd().text.hasSuffix("you asked for /ok\n"))
        }
    }

    @Test("a ClientHello that stops in the middle and closes is told once", arguments: [0, 1, 5, 100])
    func truncatedHello(count: Int) async throws {
        try await TestServer.with { server in
            let raw = try await TestConnection.open(port: server.port)
            try await raw.send(Array(try clientHello().prefix(count)))
            try await raw.channel.close()
            #expect(await server.events.next() == .error(TLSError(code: .closedInHandshake)))
            #expect(await server.events.next() == .closed)
        }
    }

    @Test("a silent client, and one that sends its ClientHello too slowly, are closed at the deadline", arguments: [false, true])
    func slowHello(sends: Bool) async throws {
        try await TestServer.with(handshakeTimeout: .milliseconds(150)) { server in
            let raw = try await TestConnection.open(port: server.port)
            let hello = Mutex(try clientHello()[...])
            let trickle = raw.channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { [channel = raw.channel] _ in
                guard sends, let byte = hello.withLock({ $0.popFirst() }) else { return }
                channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil)
            }
            #expect(await raw.receive(.max).isEmpty)
            trickle.cancel()
            #expect(await server.events.next() == .error(TLSError(code: .handshakeTimedOut)))
            #expect(await server.events.next() == .closed)
        }
    }

    @Test("a hundred silent clients do not keep a good one from being served")
    func silentCrowd() async throws {
        try await TestServer.with { server in
            var crowd: [TestConnection] = []
            for _ in 0..<100 { crowd.append(try await TestConnection.open(port: server.port)) }
            let good = try await TestConnection.openTLS(port: server.port)
            try await good.send("GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n")
            #expect(await good.receiveToEnd().text.hasSuffix("you asked for /ok\n"))
            for connection in crowd { try await connection.channel.close() }
        }
    }

    @Test("a client that half-closes after its request still gets its answer, and a clean end")
    func halfClosed() async throws {
        try await TestServer.with { server in
            let connection = try await TestConnection.openTLS(port: server.port)
            try await connection.send("GET /bytes/3000000 HTTP/1.1\r\n\r\n")
            try await connection.channel.close(mode: .output)
            let end = await connection.receiveToEnd()
            #expect(end.text.utf8.count > 3_000_000 && end.text.hasSuffix("aaa"))
            #expect(end.isClean && end.error == nil)
            #expect(await server.events.first { $0 == .inputClosed } == .inputClosed)
        }
    }

    @Test("a client that half-closes its socket without close_notify is truncated")
    func rawHalfClose() async throws {
        try await TestServer.with { server in
            // The handshake by hand, so that the socket can be shut down behind the session's back.
            let session = try TestCertificates.apiClientContext().makeClientSession(to: .host("localhost"))
            let raw = try await TestConnection.open(port: server.port)
            while !(try session.handshake()) {
                if let bytes = session.takeCiphertext() { try await raw.channel.writeAndFlush(bytes) }
                guard case .bytes(let bytes)? = await raw.events.next() else { break }
                session.feed(ByteBuffer(bytes: bytes))
            }
            #expect(try session.write(ByteBuffer(string: "GET /x HTTP/1.1\r\n")))
            try await raw.channel.writeAndFlush(try #require(session.takeCiphertext()))
            try await raw.channel.close(mode: .output)
            #expect(await error(server) == TLSError(code: .truncated))
            #expect(await server.events.next() == .closed)
        }
    }

    @Test("a client that resets the connection is told once, as what it is")
    func reset() async throws {
        try await TestServer.with { server in
            let connection = try await TestConnection.openTLS(port: server.port)
            try await connection.send("GET /a HTTP/1.1\r\n\r\n")
            _ = await connection.receive(56)
            try await (connection.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            // The session's close_notify goes first, so the reset must not come from a close of ours: break the socket below the handler.
            try await connection.channel.eventLoop.submit { [channel = connection.channel] in
                try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self).close(promise: nil)
            }.get()
            guard case .handshake? = await server.events.next() else {
                Issue.record("no handshake")
                return
            }
            #expect(await server.events.next() == .transportError)
            #expect(await server.events.next() == .closed)
        }
    }

    @Test("a new certificate serves new connections; old connections go on with the old one")
    func reload() async throws {
        let renewed = TestCertificates.issue(names: [.dns("localhost")], [.serverAuthentication])
        try await TestServer.with { server in
            func serial(_ connection: TestConnection) async throws -> [UInt8]? {
                try await connection.channel.eventLoop.submit { [channel = connection.channel] in
                    try channel.pipeline.syncOperations.handler(type: TLSHandler.self).session.peerCertificate?.serialNumber
                }.get()
            }
            let old = try await TestConnection.openTLS(port: server.port)
            try await old.send("GET /a HTTP/1.1\r\n\r\n")
            _ = await old.receive(56)
            server.contexts.replace(with: try .api(credential: renewed))
            let new = try await TestConnection.openTLS(port: server.port)
            for connection in [old, new] {
                try await connection.send("GET /b HTTP/1.1\r\n\r\n")
                #expect(await connection.receive(56).count == 56)
            }
            #expect(try await serial(old) == Certificate(pem: TestCertificates.server.certificatePEM).serialNumber)
            #expect(try await serial(new) == Certificate(pem: renewed.certificatePEM).serialNumber)
            for connection in [old, new] { try await connection.channel.close() }
        }
    }

    @Test("a client that does not read stops the server, and gets everything once it reads")
    func slowReader() async throws {
        let count = 64 << 20
        try await TestServer.with { server in
            let connection = try await TestConnection.openTLS(port: server.port)
            try await connection.send("GET /hello HTTP/1.1\r\n\r\n")
            #expect(await connection.receive(60).count == 60)
            try await connection.channel.setOption(.autoRead, value: false).get()
            try await connection.send("GET /bytes/\(count) HTTP/1.1\r\n\r\n")
            guard case .unwritable(let sent)? = await server.events.first(where: { if case .unwritable = $0 { true } else { false } }) else { return }
            #expect(sent < count / 2)
            try await connection.channel.setOption(.autoRead, value: true).get()
            let received = await connection.receive(count + 40)
            #expect(received.count > count && received.suffix(1_000).allSatisfy { $0 == 0x61 })
            try await connection.channel.close()
        }
    }

    @Test("a client that reads only when it wants to gets everything, record by record")
    func manualReads() async throws {
        try await TestServer.with { server in
            let connection = try await TestConnection.openTLS(port: server.port, autoRead: false)
            try await connection.send("GET /bytes/300000 HTTP/1.1\r\n\r\n")
            var count = 0
            while count < 300_000 {
                connection.channel.read()
                guard case .bytes(let bytes)? = await connection.events.next() else { break }
                count += bytes.count
            }
            #expect(count > 300_000)
            try await connection.channel.close()
        }
    }

    @Test("two nodes talk over mutual TLS, and a node of another cluster learns only the alert")
    func nodes() async throws {
        let context = try TestCertificates.peerContext(TestCertificates.node2)
        try await TestServer.with(context: context) { server in
            func call(_ credential: Credential) async throws -> (text: String, isClean: Bool, error: TLSError?) {
                let client = try TestCertificates.peerContext(credential)
                let connection = try await TestConnection.open(port: server.port) {
                    try client.makeClientSession(to: .uri(TestCertificates.uri("2")))
                }
                // The refused one may already be closed when it writes.
                try? await connection.send("GET /raft HTTP/1.1\r\nConnection: close\r\n\r\n")
                return await connection.receiveToEnd()
            }
            let good = try await call(TestCertificates.node1)
            #expect(good.text.hasSuffix("you asked for /raft\n") && good.isClean)
            let bad = try await call(
                TestCertificates.issue(names: [.uri(TestCertificates.uri("1"))], [.clientAuthentication], by: TestCertificates.stranger))
            #expect(bad.text.isEmpty)
            #expect(bad.error?.alertReceived == 48)
        }
    }
}
