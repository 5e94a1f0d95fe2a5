import OpenSSL
import Raft

/// The first byte of an encoded cluster command. Numbers are never reused.
private enum ClusterCommandTag: UInt8 {
    case createCluster = 1
    case createJoinToken = 2
    case admitNode = 3
    case updateNode = 4
    case removeNode = 5
}

extension ByteWriter {
    private mutating func write(_ tag: ClusterCommandTag) { write(tag.rawValue) }

    mutating func write(_ command: ClusterCommand) {
        switch command {
        case .createCluster(let members):
            write(ClusterCommandTag.createCluster)
            write(members.authorityPEM)
            write(field: members.sealedAuthorityKey)
            write(members.firstNode)
        case .createJoinToken(let hash, let expiresAt):
            write(ClusterCommandTag.createJoinToken)
            write(hash)
            write(expiresAt)
        case .admitNode(let tokenHash, let node):
            write(ClusterCommandTag.admitNode)
            write(tokenHash)
            write(node)
        case .updateNode(let members):
            write(ClusterCommandTag.updateNode)
            write(members.id.raw)
            write(optional: members.peerAddress) { $0.write($1) }
            write(optional: members.apiAddress) { $0.write($1) }
            write(optional: members.keys) {
                $0.write($1.current)
                $0.write($1.next)
            }
            write(optional: members.version) { $0.write($1) }
        case .removeNode(let id):
            write(ClusterCommandTag.removeNode)
            write(id.raw)
        }
    }

    private mutating func write(_ node: NewNode) {
        write(optional: node.name) { $0.write($1) }
        write(node.peerAddress)
        write(node.apiAddress)
        write(node.publicKey)
        write(node.version)
    }
}

extension ByteReader {
    mutating func clusterCommand() throws(DecodingFailure) -> ClusterCommand {
        guard let tag = ClusterCommandTag(rawValue: try number()) else { throw .unknownValue }
        switch tag {
        case .createCluster:
            return .createCluster(
                CreateCluster(
                    authorityPEM: try text(max: Limits.certificateBytesMax),
                    sealedAuthorityKey: try field(max: Limits.sealedPrivateKeyBytesMax), firstNode: try newNode()))
        case .createJoinToken: return .createJoinToken(hash: try digest(), expiresAt: try timestamp())
        case .admitNode: return .admitNode(tokenHash: try digest(), try newNode())
        case .updateNode:
            return .updateNode(
                UpdateNode(
                    id: NodeID(try number()),
                    peerAddress: try optional { reader throws(DecodingFailure) in try reader.nodeAddress() },
                    apiAddress: try optional { reader throws(DecodingFailure) in try reader.nodeAddress() },
                    keys: try optional { reader throws(DecodingFailure) in
                        UpdateNode.KeyChange(current: try reader.digest(), next: try reader.digest())
                    },
                    version: try optionalText(max: Limits.nodeVersionBytesMax)))
        case .removeNode: return .removeNode(NodeID(try number()))
        }
    }

    private mutating func newNode() throws(DecodingFailure) -> NewNode {
        NewNode(
            name: try optionalText(max: Limits.nodeNameBytesMax), peerAddress: try nodeAddress(), apiAddress: try nodeAddress(),
            publicKey: try digest(), version: try text(max: Limits.nodeVersionBytesMax))
    }
}

/// The first byte of an encoded refusal. Numbers are never reused.
private enum ClusterFailureTag: UInt8 {
    case clusterAlreadyExists = 1
    case clusterNotFound = 2
    case joinTokenUnknown = 3
    case joinTokenExpired = 4
    case joinTokenUsed = 5
    case joinTokenAlreadyExists = 6
    case tooManyJoinTokens = 7
    case nodeNotFound = 8
    case nodeRemoved = 9
    case nodeKeyTaken = 10
    case nodeKeyUnknown = 11
    case lastNode = 12
}

extension ByteWriter {
    mutating func write(_ failure: ClusterFailure) {
        let (tag, node): (ClusterFailureTag, NodeID?) =
            switch failure {
            case .clusterAlreadyExists: (.clusterAlreadyExists, nil)
            case .clusterNotFound: (.clusterNotFound, nil)
            case .joinTokenUnknown: (.joinTokenUnknown, nil)
            case .joinTokenExpired: (.joinTokenExpired, nil)
            case .joinTokenUsed: (.joinTokenUsed, nil)
            case .joinTokenAlreadyExists: (.joinTokenAlreadyExists, nil)
            case .tooManyJoinTokens: (.tooManyJoinTokens, nil)
            case .nodeNotFound(let id): (.nodeNotFound, id)
            case .nodeRemoved(let id): (.nodeRemoved, id)
            case .nodeKeyTaken(let id): (.nodeKeyTaken, id)
            case .nodeKeyUnknown: (.nodeKeyUnknown, nil)
            case .lastNode: (.lastNode, nil)
            }
        write(tag.rawValue)
        if let node { write(node.raw) }
    }
}

extension ByteReader {
    mutating func clusterFailure() throws(DecodingFailure) -> ClusterFailure {
        guard let tag = ClusterFailureTag(rawValue: try number()) else { throw .unknownValue }
        switch tag {
        case .clusterAlreadyExists: return .clusterAlreadyExists
        case .clusterNotFound: return .clusterNotFound
        case .joinTokenUnknown: return .joinTokenUnknown
        case .joinTokenExpired: return .joinTokenExpired
        case .joinTokenUsed: return .joinTokenUsed
        case .joinTokenAlreadyExists: return .joinTokenAlreadyExists
        case .tooManyJoinTokens: return .tooManyJoinTokens
        case .nodeNotFound: return .nodeNotFound(NodeID(try number()))
        case .nodeRemoved: return .nodeRemoved(NodeID(try number()))
        case .nodeKeyTaken: return .nodeKeyTaken(NodeID(try number()))
        case .nodeKeyUnknown: return .nodeKeyUnknown
        case .lastNode: return .lastNode
        }
    }
}
