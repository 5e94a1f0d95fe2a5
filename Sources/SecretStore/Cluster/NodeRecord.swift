package import OpenSSL
package import Raft

/// One node of the cluster as every node knows it. Never deleted: a removed node stays, so that its id and its keys are refused for ever.
package struct NodeRecord: Equatable, Sendable {
    /// Whether a node belongs to the cluster.
    package enum State: Equatable, Sendable {
        case active
        /// For ever, from that time.
        case removed(at: Timestamp)
    }

    /// Given once, ascending from 1, never given again.
    package var id: NodeID
    /// For people; nil for none.
    package var name: String?
    /// Where other nodes reach it.
    package var peerAddress: NodeAddress
    /// Where clients reach it.
    package var apiAddress: NodeAddress
    /// SHA-256 of the public keys (SubjectPublicKeyInfo in DER) that the node may show: the one in use first, then, between
    /// a renewal and the next, its successor. One or two.
    package var publicKeys: [Digest]
    package var addedAt: Timestamp
    package var state: State
    /// The version of conclave that it reported last.
    package var version: String

    /// Whether the node belongs to the cluster and `publicKey` is one of its own.
    package func admits(_ publicKey: Digest) -> Bool { state == .active && publicKeys.contains(publicKey) }
}

extension NodeRecord {
    private static let format: UInt8 = 1
    /// Keys that a node may have at a time.
    static let publicKeysMax = 2

    /// The bytes of a row, and of a node in the answer to a join.
    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(Self.format)
        writer.write(id.raw)
        writer.write(optional: name) { $0.write($1) }
        writer.write(peerAddress)
        writer.write(apiAddress)
        writer.write(list: publicKeys) { $0.write($1) }
        writer.write(addedAt)
        switch state {
        case .active: writer.write(false)
        case .removed(let at):
            writer.write(true)
            writer.write(at)
        }
        writer.write(version)
        return writer.bytes
    }

    /// - Throws: ``DecodingFailure`` for bytes that ``encode()`` cannot have made. Never traps.
    package init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return NodeRecord(
                id: NodeID(try reader.number()), name: try reader.optionalText(max: Limits.nodeNameBytesMax),
                peerAddress: try reader.nodeAddress(), apiAddress: try reader.nodeAddress(),
                publicKeys: try reader.list(max: Self.publicKeysMax) { reader throws(DecodingFailure) in try reader.digest() },
                addedAt: try reader.timestamp(), state: try reader.flag() ? .removed(at: try reader.timestamp()) : .active,
                version: try reader.text(max: Limits.nodeVersionBytesMax))
        }
    }
}
