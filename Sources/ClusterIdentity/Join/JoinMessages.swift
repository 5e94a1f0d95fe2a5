internal import NIOCore
package import OpenSSL
package import Raft
package import SecretStore

/// The protocol by which a node joins: over TLS 1.3, the new node sends one request and gets one answer.
package enum JoinProtocol {
    /// The application protocol (ALPN).
    package static let name = "conclave-join/1"
    /// Longest request, in bytes.
    static let requestBytesMax = 8_192
    /// Longest answer, in bytes: the keyring of a large cluster, and its nodes.
    static let answerBytesMax = 8 << 20
    /// Nodes in an answer, removed ones included.
    static let nodesMax = 4_096
    /// How far the clocks of the new node and of the member may be apart, in milliseconds: what requests of clients and certificates allow.
    static let clockDifferenceMax: Int64 = 300_000
}

/// What a new node asks with.
package struct JoinRequest: Sendable {
    /// The secret of a ``JoinToken``.
    package var secret: SecretBytes
    /// `CertificateRequest` for the node's key, in DER.
    package var certificateRequest: [UInt8]
    package var name: String?
    package var peerAddress: NodeAddress
    package var apiAddress: NodeAddress
    package var version: String
    /// The new node's clock.
    package var sentAt: Timestamp
}

extension JoinRequest {
    /// The body of a frame; the caller wipes it.
    func encode() -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: JoinProtocol.requestBytesMax)
        buffer.writeField(secret)
        buffer.writeField(certificateRequest)
        buffer.writeField(name ?? "")
        buffer.writeField(peerAddress.description)
        buffer.writeField(apiAddress.description)
        buffer.writeField(version)
        buffer.writeInteger(sentAt.millisecondsSince1970)
        return buffer
    }

    init(decoding body: ByteBuffer) throws(MalformedMessage) {
        var reader = FieldReader(body)
        secret = try reader.secret(max: JoinToken.secretByteCount)
        guard secret.count == JoinToken.secretByteCount else { throw MalformedMessage() }
        certificateRequest = try reader.field(max: CertificateRequest.byteCountMax)
        let name = try reader.text(max: Limits.nodeNameBytesMax)
        self.name = name.isEmpty ? nil : name
        peerAddress = try reader.address()
        apiAddress = try reader.address()
        version = try reader.text(max: Limits.nodeVersionBytesMax)
        sentAt = Timestamp(millisecondsSince1970: try reader.number())
        try reader.finish()
    }
}

/// What a node that was let in is given: everything that it needs to be one.
package struct JoinGrant: Sendable {
    package var clusterID: String
    package var region: String
    package var node: NodeID
    package var authorityPEM: String
    /// The node certificate for the key of the request.
    package var certificatePEM: String
    /// For ``Keyring/importFromJoin(_:seal:path:)``: the root key is in it, in the clear.
    package var keyring: SecretBytes
    /// Every node that there ever was, this one included.
    package var nodes: [NodeRecord]
    /// Generation of the registry that ``nodes`` are from.
    package var generation: UInt64
}

extension JoinGrant {
    private static let textBytesMax = 16_384

    /// The body of a frame; the caller wipes it.
    func encode() -> ByteBuffer {
        let nodes = nodes.map { $0.encode() }
        let texts = [clusterID, region, authorityPEM, certificatePEM]
        let prefixes = MemoryLayout<UInt32>.size * (texts.count + nodes.count + 2) + 2 * MemoryLayout<UInt64>.size
        let count = texts.reduce(keyring.count + prefixes) { $0 + $1.utf8.count } + nodes.reduce(0) { $0 + $1.count }
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        for text in texts { buffer.writeField(text) }
        buffer.writeInteger(node.raw)
        buffer.writeInteger(generation)
        buffer.writeField(keyring)
        buffer.writeInteger(UInt32(nodes.count))
        for node in nodes { buffer.writeField(node) }
        return buffer
    }

    init(decoding body: ByteBuffer) throws(MalformedMessage) {
        var reader = FieldReader(body)
        clusterID = try reader.text(max: Self.textBytesMax)
        region = try reader.text(max: Self.textBytesMax)
        authorityPEM = try reader.text(max: Self.textBytesMax)
        certificatePEM = try reader.text(max: Self.textBytesMax)
        node = NodeID(try reader.number())
        generation = try reader.number()
        keyring = try reader.secret(max: JoinProtocol.answerBytesMax)
        let count = try reader.number(UInt32.self)
        guard count <= JoinProtocol.nodesMax else { throw MalformedMessage() }
        nodes = []
        for _ in 0..<count {
            let row = try reader.field(max: Self.textBytesMax)
            do throws(DecodingFailure) {
                nodes.append(try NodeRecord(decoding: row.span.bytes))
            } catch {
                throw MalformedMessage()
            }
        }
        try reader.finish()
    }
}

/// Why a member does not let a node in. The raw value is what goes over the wire.
package enum JoinRefusal: UInt8, Error, Hashable, Sendable, CustomStringConvertible {
    case malformed = 1
    /// Never made, used up by another node, or forgotten: the three are not told apart.
    case tokenUnknown = 2
    case tokenExpired = 3
    case clocksDiffer = 4
    /// The key is that of another node, or of one that was removed.
    case keyRefused = 5
    case tooManyAttempts = 6
    /// No leader, no space, or the member is stopping. The node may have been let in all the same: ask again with the same key.
    case unavailable = 7

    package var description: String {
        switch self {
        case .malformed: "the member does not understand the request; run the same version of conclave on all nodes"
        case .tokenUnknown: "the token is unknown or used up; make a new one with: conclave cluster token create"
        case .tokenExpired: "the token has expired; make a new one with: conclave cluster token create"
        case .clocksDiffer: "this node's clock and the member's differ by more than five minutes; set the clock and try again"
        case .keyRefused: "the key of this node was used by another or a removed node; start with an empty data directory"
        case .tooManyAttempts: "too many attempts with wrong tokens came from this address; wait a minute and try again"
        case .unavailable: "the cluster cannot let a node in now; see that a majority of its nodes runs, and try again with the same token"
        }
    }
}
