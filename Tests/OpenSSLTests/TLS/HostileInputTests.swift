import COpenSSL
import NIOCore
import Testing

@testable import OpenSSL

@Suite("TLS session and hostile bytes", .timeLimit(.minutes(1)))
struct HostileInputTests {
    private func server() throws -> Endpoint { Endpoint(try TestCertificates.apiContext().makeServerSession()) }
    private func client(version: CInt = TLS1_3_VERSION) throws -> Endpoint {
        let client = Endpoint(try TestCertificates.apiClientContext().makeClientSession(to: .host("localhost")))
        client.session.limitVersion(to: version)
        return client
    }

    @Test("random bytes fail the handshake", arguments: 1...50 as ClosedRange<UInt64>)
    func garbage(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let server = try server()
        server.advance(with: ByteBuffer(bytes: random.bytes(600)))
        #expect(server.failure?.code == .handshakeFailed)
        #expect(server.failure?.reason.isEmpty == false)
    }

    @Test("plain HTTP is recognised and refused", arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n\r\n"])
    func plainHTTP(text: String) throws {
        let server = try server()
        server.advance(with: ByteBuffer(string: text))
        #expect(server.failure?.code == .handshakeFailed)
        #expect(server.failure?.reason == "http request")
    }

    @Test("a changed bit anywhere never changes what is delivered and never crashes", arguments: SessionTests.versions)
    func flippedBits(version: CInt) throws {
        // Record the client's side of a good connection; then repeat it with one bit changed, at every third position in turn.
        var failures = 0
        var trials = 0
        for position in stride(from: 0, to: 900, by: 3) {
            let (client, server) = (try client(version: version), try server())
            client.send([9, 8, 7])
            var sent = 0
            var random = SeededGenerator(state: UInt64(position))
            func carry(from: Endpoint, to: Endpoint, changing: Bool) -> Bool {
                guard var bytes = from.session.takeCiphertext() else { return false }
                if changing {
                    let index = position - sent
                    sent += bytes.readableBytes
                    if (0..<bytes.readableBytes).contains(index), let byte = bytes.getInteger(at: index, as: UInt8.self) {
                        bytes.setInteger(byte ^ (1 << UInt8(random.next() % 8)), at: index)
                        trials += 1
                    }
                }
                to.advance(with: bytes)
                return true
            }
            client.advance()
            while carry(from: client, to: server, changing: true) || carry(from: server, to: client, changing: false) {}
            #expect(server.received.isEmpty || server.received == [9, 8, 7])
            if server.failure != nil || client.failure != nil { failures += 1 }
            guard position < sent else { break }
        }
        #expect(trials > 80)
        // Some bits of a ClientHello are free (the compatibility version of the first record), some of a length only make the server wait.
        #expect(failures > trials * 3 / 4)
    }

    @Test("a changed, repeated or omitted record after the handshake ends the connection with nothing delivered", arguments: SessionTests.versions)
    func brokenRecords(version: CInt) throws {
        for fault in ["changed", "repeated", "omitted"] {
            let (client, server) = (try client(version: version), try server())
            connect(client, server)
            client.send([1])
            var first = try #require(client.session.takeCiphertext())
            client.send([2])
            let second = try #require(client.session.takeCiphertext())
            switch fault {
            case "changed":
                let last = first.writerIndex - 1
                first.setInteger(try #require(first.getInteger(at: last, as: UInt8.self)) ^ 1, at: last)
                server.advance(with: first)
                #expect(server.received.isEmpty)
            case "repeated":
                server.advance(with: first)
                server.advance(with: first)
                #expect(server.received == [1])
            default:
                server.advance(with: second)
                #expect(server.received.isEmpty)
            }
            #expect(server.failure?.code == .protocolViolation)
            client.advance(with: try #require(server.session.takeCiphertext()))
            #expect(client.failure?.alertReceived == 20)  // bad_record_mac
        }
    }

    @Test("a client of TLS 1.2 that wants to renegotiate is told no, and the server lives on")
    func renegotiation() throws {
        let (client, server) = (try client(version: TLS1_2_VERSION), try server())
        connect(client, server)
        SSL_clear_options(client.session.ssl, 1 << 30)  // SSL_OP_NO_RENEGOTIATION, which our own clients set as well
        try #require(SSL_renegotiate(client.session.ssl) == 1)
        _ = SSL_do_handshake(client.session.ssl)
        let hello = try #require(client.session.takeCiphertext())
        server.advance(with: hello)
        #expect(server.failure == nil)
        client.advance(with: try #require(server.session.takeCiphertext()))
        #expect(client.failure?.reason == "no renegotiation")
        server.send([5])
        #expect(server.failure == nil && server.session.ciphertextBytes > 0)
    }

    @Test("a write in the middle of a message after the handshake waits for the rest of it, and loses nothing")
    func writeInsideMessage() throws {
        // A ticket of more than 512 bytes, sent in records of 512: the client has the first, and writes.
        let context = try TestCertificates.apiContext()
        SSL_CTX_set_session_ticket_cb(
            context.pointer,
            { ssl, _ in
                let data = [UInt8](repeating: 7, count: 1_000)
                return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, data.count)
            }, { _, _, _, _, _, _ in SSL_TICKET_RETURN_USE }, nil)
        let (client, server) = (try client(), Endpoint(try context.makeServerSession()))
        SSL_ctrl(server.session.ssl, SSL_CTRL_SET_MAX_SEND_FRAGMENT, 512, nil)
        client.advance()
        server.advance(with: try #require(client.session.takeCiphertext()))
        client.advance(with: try #require(server.session.takeCiphertext()))
        server.advance(with: try #require(client.session.takeCiphertext()))
        #expect(client.isOpen && server.isOpen)
        var tickets = try #require(server.session.takeCiphertext())
        try #require(tickets.readableBytes > 1_500)
        let begin = tickets.readSlice(length: 600)
        client.advance(with: try #require(begin))
        #expect(try client.session.write(ByteBuffer(bytes: [1])) == false)
        client.send([4, 2])
        #expect(client.failure == nil && client.session.ciphertextBytes == 0)
        client.advance(with: tickets)
        connect(client, server)
        #expect(server.received == [4, 2])
    }
}
