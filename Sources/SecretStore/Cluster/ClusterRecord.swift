import OpenSSL
package import Raft

/// What there is once per cluster.
package struct ClusterRecord: Equatable, Sendable {
    package var region: String
    package var createdAt: Timestamp
    /// The cluster's certificate authority, which clients and nodes trust.
    package var authorityPEM: String
    /// The authority's private key, sealed by the keyring of the cluster.
    package var sealedAuthorityKey: [UInt8]
    /// The id that the next node gets.
    package var nextNodeID: NodeID
    /// Grows with every change of a node: says whether a copy of the registry is old.
    package var generation: UInt64
}

extension ClusterRecord {
    private static let format: UInt8 = 1

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 2_048)
        writer.write(Self.format)
        writer.write(region)
        writer.write(createdAt)
        writer.write(authorityPEM)
        writer.write(field: sealedAuthorityKey)
        writer.write(nextNodeID.raw)
        writer.write(generation)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return ClusterRecord(
                region: try reader.text(max: Limits.regionBytesMax), createdAt: try reader.timestamp(),
                authorityPEM: try reader.text(max: Limits.certificateBytesMax),
                sealedAuthorityKey: try reader.field(max: Limits.sealedPrivateKeyBytesMax), nextNodeID: NodeID(try reader.number()),
                generation: try reader.number())
        }
    }
}

/// A join token as it is stored, under the SHA-256 of its secret. The secret itself is nowhere.
struct JoinTokenRecord: Equatable, Sendable {
    private static let format: UInt8 = 1

    /// Who joined with it.
    struct Use: Equatable, Sendable {
        var node: NodeID
        var publicKey: Digest
    }

    var createdAt: Timestamp
    var expiresAt: Timestamp
    /// nil: still good for one node.
    var use: Use?

    /// When the row may be forgotten. Kept for a while behind the end, for a joiner whose answer was lost, and to tell it why not.
    var forgottenAt: Timestamp { expiresAt.adding(milliseconds: Limits.joinTokenRetentionMilliseconds) }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.write(Self.format)
        writer.write(createdAt)
        writer.write(expiresAt)
        writer.write(optional: use) {
            $0.write($1.node.raw)
            $0.write($1.publicKey)
        }
        return writer.bytes
    }

    init(createdAt: Timestamp, expiresAt: Timestamp, use: Use? = nil) {
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.use = use
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return JoinTokenRecord(
                createdAt: try reader.timestamp(), expiresAt: try reader.timestamp(),
                use: try reader.optional { reader throws(DecodingFailure) in
                    Use(node: NodeID(try reader.number()), publicKey: try reader.digest())
                })
        }
    }
}
