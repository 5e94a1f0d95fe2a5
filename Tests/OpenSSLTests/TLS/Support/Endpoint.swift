import COpenSSL
import NIOCore
import Testing

@testable import OpenSSL

/// One side of a connection in memory: a session with the driver that the channel handler is otherwise.
final class Endpoint {
    let session: TLSSession
    private(set) var isOpen = false
    private(set) var received: [UInt8] = []
    /// The buffers as they came, for tests that look at their sizes.
    private(set) var deliveries: [ByteBuffer] = []
    private(set) var isPeerClosed = false
    private(set) var failure: TLSError?
    private var toSend: [[UInt8]] = []

    init(_ session: TLSSession) { self.session = session }

    /// Goes on with what `ciphertext` brings.
    func advance(with ciphertext: ByteBuffer = ByteBuffer()) {
        guard failure == nil else { return }
        session.feed(ciphertext)
        do throws(TLSError) {
            if !isOpen {
                isOpen = try session.handshake()
                guard isOpen else { return }
            }
            let inbound = session.read(allocator: ByteBufferAllocator())
            if let plaintext = inbound.plaintext {
                deliveries.append(plaintext)
                received += plaintext.readableBytesView
            }
            switch inbound.end {
            case .needsInput: break
            case .peerClosed: isPeerClosed = true
            case .failed(let error): failure = error
            }
            while failure == nil, let next = toSend.first, try session.write(ByteBuffer(bytes: next)) { toSend.removeFirst() }
        } catch { failure = error }
    }

    /// Sends `bytes` as soon as the handshake allows.
    func send(_ bytes: [UInt8]) {
        toSend.append(bytes)
        if isOpen { advance() }
    }
}

/// How a stream of bytes is cut before it arrives.
enum Split: CustomTestStringConvertible, Sendable {
    case whole
    case bytes(Int)
    case random(seed: UInt64)

    var testDescription: String { "\(self)" }
}

/// SplitMix64: the same pieces for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Carries bytes between two endpoints until both are quiet.
func connect(_ client: Endpoint, _ server: Endpoint, split: Split = .whole) {
    var random = SeededGenerator(state: 0)
    if case .random(let seed) = split { random.state = seed }
    func carry(from: Endpoint, to: Endpoint) -> Bool {
        guard var bytes = from.session.takeCiphertext() else { return false }
        while bytes.readableBytes > 0 {
            let piece =
                switch split {
                case .whole: bytes.readableBytes
                case .bytes(let count): count
                case .random: Int.random(in: 1...random.pieceMax(bytes.readableBytes), using: &random)
                }
            guard let slice = bytes.readSlice(length: min(piece, bytes.readableBytes)) else { return false }
            to.advance(with: slice)
        }
        return true
    }
    client.advance()
    server.advance()
    var isBusy = true
    while isBusy {
        let forth = carry(from: client, to: server)
        let back = carry(from: server, to: client)
        isBusy = forth || back
    }
}

extension SeededGenerator {
    /// Sometimes tiny pieces, sometimes large ones.
    fileprivate mutating func pieceMax(_ available: Int) -> Int { min(available, [1, 5, 300, 5_000, 40_000][Int(next() % 5)]) }
}

extension TLSSession {
    /// Limits the newest version that this side speaks, as an old client does. `version` is OpenSSL's number.
    func limitVersion(to version: CInt) { SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil) }

    /// Offers other application protocols than the context's; none for an empty list.
    func offer(_ protocols: [String]) {
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        SSL_set_alpn_protos(ssl, list, UInt32(list.count))
    }
}
