import LMDB
import OpenSSL
import Raft

/// The registry of nodes.
extension Transition {
    mutating func execute(_ command: ClusterCommand, in txn: inout WriteTransaction) throws -> Outcome {
        switch command {
        case .createCluster(let members): try createCluster(members, in: &txn)
        case .createJoinToken(let hash, let expiresAt): try createJoinToken(hash, expiresAt: expiresAt, in: &txn)
        case .admitNode(let tokenHash, let node): try admitNode(node, tokenHash: tokenHash, in: &txn)
        case .updateNode(let members): try updateNode(members, in: &txn)
        case .removeNode(let id): try removeNode(id, in: &txn)
        }
    }

    private mutating func createCluster(_ command: CreateCluster, in txn: inout WriteTransaction) throws -> Outcome {
        guard try store.clusterRecord(in: txn) == nil else { throw StoreFailure.cluster(.clusterAlreadyExists) }
        let cluster = ClusterRecord(
            region: store.scope.region, createdAt: mutation.at, authorityPEM: command.authorityPEM,
            sealedAuthorityKey: command.sealedAuthorityKey, nextNodeID: NodeID(1), generation: 0)
        return .node(try add(command.firstNode, to: cluster, in: &txn))
    }

    // MARK: Joining

    private mutating func createJoinToken(_ hash: Digest, expiresAt: Timestamp, in txn: inout WriteTransaction) throws -> Outcome {
        _ = try cluster(in: txn)
        guard try store.joinToken(hash, in: txn) == nil else { throw StoreFailure.cluster(.joinTokenAlreadyExists) }
        let tokens = try store.joinTokens(in: txn)
        let forgotten = tokens.filter { $0.record.forgottenAt <= mutation.at }
        guard tokens.count - forgotten.count < Limits.joinTokensMax else { throw StoreFailure.cluster(.tooManyJoinTokens) }
        for token in forgotten { try delete(tables.joinTokens, key: token.key, in: &txn) }
        let record = JoinTokenRecord(createdAt: mutation.at, expiresAt: expiresAt)
        try seal(tables.joinTokens, key: hash.bytes, plaintext: record.encode(), in: &txn)
        return .done
    }

    private mutating func admitNode(_ node: NewNode, tokenHash: Digest, in txn: inout WriteTransaction) throws -> Outcome {
        let cluster = try cluster(in: txn)
        guard var token = try store.joinToken(tokenHash, in: txn) else { throw StoreFailure.cluster(.joinTokenUnknown) }
        // Before the expiry: a joiner whose answer was lost is let in once, at whatever time it comes back.
        if let use = token.use {
            guard use.publicKey == node.publicKey else { throw StoreFailure.cluster(.joinTokenUsed) }
            guard try store.node(use.node, in: txn)?.state == .active else { throw StoreFailure.cluster(.nodeRemoved(use.node)) }
            return .node(use.node)
        }
        guard mutation.at < token.expiresAt else { throw StoreFailure.cluster(.joinTokenExpired) }
        try checkUnused(node.publicKey, in: txn)
        token.use = JoinTokenRecord.Use(node: cluster.nextNodeID, publicKey: node.publicKey)
        try seal(tables.joinTokens, key: tokenHash.bytes, plaintext: token.encode(), in: &txn)
        return .node(try add(node, to: cluster, in: &txn))
    }

    /// Gives a node the next id.
    private mutating func add(_ node: NewNode, to cluster: ClusterRecord, in txn: inout WriteTransaction) throws -> NodeID {
        let id = cluster.nextNodeID
        let record = NodeRecord(
            id: id, name: node.name, peerAddress: node.peerAddress, apiAddress: node.apiAddress, publicKeys: [node.publicKey],
            addedAt: mutation.at, state: .active, version: node.version)
        var next = cluster
        next.nextNodeID = NodeID(id.raw + 1)
        try save(record, in: next, in: &txn)
        return id
    }

    // MARK: Changing

    private mutating func updateNode(_ command: UpdateNode, in txn: inout WriteTransaction) throws -> Outcome {
        let cluster = try cluster(in: txn)
        guard var node = try store.node(command.id, in: txn) else { throw StoreFailure.cluster(.nodeNotFound(command.id)) }
        guard node.state == .active else { throw StoreFailure.cluster(.nodeRemoved(command.id)) }
        let old = node
        if let keys = command.keys {
            guard node.publicKeys.contains(keys.current) else { throw StoreFailure.cluster(.nodeKeyUnknown) }
            if !node.publicKeys.contains(keys.next) { try checkUnused(keys.next, in: txn) }
            node.publicKeys = keys.current == keys.next ? [keys.next] : [keys.current, keys.next]
        }
        if let address = command.peerAddress { node.peerAddress = address }
        if let address = command.apiAddress { node.apiAddress = address }
        if let version = command.version { node.version = version }
        if node != old { try save(node, in: cluster, in: &txn) }
        return .done
    }

    private mutating func removeNode(_ id: NodeID, in txn: inout WriteTransaction) throws -> Outcome {
        let cluster = try cluster(in: txn)
        guard var node = try store.node(id, in: txn) else { throw StoreFailure.cluster(.nodeNotFound(id)) }
        guard node.state == .active else { return .done }
        guard try store.nodes(in: txn).contains(where: { $0.state == .active && $0.id != id }) else { throw StoreFailure.cluster(.lastNode) }
        node.state = .removed(at: mutation.at)
        try save(node, in: cluster, in: &txn)
        return .done
    }

    // MARK: Rows

    private func cluster(in txn: borrowing WriteTransaction) throws -> ClusterRecord {
        guard let cluster = try store.clusterRecord(in: txn) else { throw StoreFailure.cluster(.clusterNotFound) }
        return cluster
    }

    /// No key serves two nodes, and none of a removed node serves again.
    private func checkUnused(_ publicKey: Digest, in txn: borrowing WriteTransaction) throws {
        for node in try store.nodes(in: txn) where node.publicKeys.contains(publicKey) {
            throw StoreFailure.cluster(node.state == .active ? .nodeKeyTaken(node.id) : .nodeRemoved(node.id))
        }
    }

    private mutating func save(_ node: NodeRecord, in cluster: ClusterRecord, in txn: inout WriteTransaction) throws {
        var cluster = cluster
        cluster.generation += 1
        try seal(tables.cluster, key: StateKeys.cluster, plaintext: cluster.encode(), in: &txn)
        try seal(tables.nodes, key: StateKeys.number(node.id.raw), plaintext: node.encode(), in: &txn)
    }
}
