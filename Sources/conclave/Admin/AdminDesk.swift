internal import ClusterIdentity
internal import FoundationEssentials
internal import Keyring
internal import Node
internal import OpenSSL
internal import SecretStore
internal import struct Raft.NodeID

/// Answers ``AdminRequest``s of a running node. Safe from any thread.
struct AdminDesk: Sendable {
    /// An answer; the body may hold a join token, and is wiped when it is written.
    struct Answer: Sendable {
        var error: String?
        var body = SecretBytes(count: 0) { _ in }
    }

    let member: ClusterMember
    let keyring: Keyring
    private static let tokenSecondsMax: Int64 = 30 * 86_400

    func answer(_ request: AdminRequest) async -> Answer {
        do {
            switch request {
            case .status: return Answer(body: Self.encode(try await status()))
            case .createToken(let seconds): return try await createToken(validSeconds: seconds)
            case .removeNode(let id): return try await remove(NodeID(id))
            case .transferLeadership(let id): return Answer(error: try await member.transferLeadership(to: id.map(NodeID.init)))
            }
        } catch let failure as ProposalFailure {
            return Answer(error: "\(failure)")
        } catch {
            return Answer(error: "the node cannot answer: \(error)")
        }
    }

    private static func encode(_ value: some Encodable) -> SecretBytes {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .sortedKeys
        // Numbers and texts always encode.
        let bytes = (try? encoder.encode(value)).map { [UInt8]($0) } ?? []
        return SecretBytes(copying: bytes.span.bytes)
    }

    // MARK: Tokens

    private func createToken(validSeconds: Int64) async throws -> Answer {
        guard (60...Self.tokenSecondsMax).contains(validSeconds) else { return Answer(error: "a token is valid for a minute to 30 days") }
        guard let record = try member.registry()?.cluster else { return Answer(error: "this node has not caught up with the cluster yet; try again") }
        let token = JoinToken.make(authority: try Certificate(pem: record.authorityPEM))
        let expiresAt = WallClock.now.adding(milliseconds: validSeconds * 1_000)
        let outcome = try await member.change(.createJoinToken(hash: token.secretHash, expiresAt: expiresAt))
        guard case .done = outcome else { return Answer(error: "the token cannot be made: \(Self.reason(outcome))") }
        let text = token.text()
        let before = Array(#"{"token":""#.utf8)
        let after = Array(#"","expires_at":\#(expiresAt.millisecondsSince1970 / 1_000)}"#.utf8)
        let body = SecretBytes(count: before.count + text.count + after.count) { destination in
            destination.copyBytes(from: before)
            text.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: destination[before.count...]).copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: destination[(before.count + text.count)...]).copyBytes(from: after)
        }
        return Answer(body: body)
    }

    // MARK: Nodes

    /// Returns when the node has left the membership, or can only leave later.
    private func remove(_ id: NodeID) async throws -> Answer {
        let outcome = try await member.change(.removeNode(id))
        guard case .done = outcome else { return Answer(error: "node \(id) cannot be removed: \(Self.reason(outcome))") }
        for _ in 0..<300 {
            if !member.node.board.facts.membership.membership.contains(id) { return Answer() }
            try await Task.sleep(for: .milliseconds(50))
        }
        return Answer(error: "node \(id) is marked as removed, and leaves the membership as soon as the remaining nodes can do without it")
    }

    private static func reason(_ outcome: Outcome) -> String {
        guard case .failed(.cluster(let failure)) = outcome else { return "\(outcome)" }
        return switch failure {
        case .nodeNotFound(let id): "there is no node \(id)"
        case .nodeRemoved(let id): "node \(id) was removed already"
        case .lastNode: "it is the only node of the cluster"
        case .tooManyJoinTokens: "too many tokens are waiting to be used; use them or let them expire"
        case .clusterNotFound: "this node has not caught up with the cluster yet"
        default: "\(failure)"
        }
    }

    // MARK: Status

    func status() async throws -> ClusterStatus {
        let known = try await member.statuses()
        let (own, others) = (known.own, known.others)
        let registry = try member.registry()
        let statuses = Dictionary(uniqueKeysWithValues: ([own] + others).map { ($0.id, $0) })
        let leader = own.leader.flatMap { statuses[$0] }
        let voters = member.node.board.facts.membership.membership.allVoters
        let now = WallClock.seconds
        let rows = (registry?.nodes ?? []).filter { $0.state == .active || voters.contains($0.id) }.map { record in
            let status = statuses[record.id.raw]
            let hash = status?.stateHashes.last
            return ClusterStatus.Row(
                id: record.id.raw, peerAddress: record.peerAddress.description, apiAddress: record.apiAddress.description,
                role: status?.role ?? "unreachable", voter: voters.contains(record.id), term: status?.term, applied: status?.applied,
                lag: status.flatMap { status in leader.map { $0.commit > status.applied ? $0.commit - status.applied : 0 } },
                diskFreeBytes: status?.diskFreeByteCount, diskLow: status?.isDiskLow,
                certificateDays: status.map { Int(($0.certificateNotAfter - now) / 86_400) }, version: status?.version ?? record.version,
                state: record.state == .active ? "active" : "leaving", stateHash: hash?.hash, stateHashIndex: hash?.index)
        }
        return ClusterStatus(
            clusterID: keyring.clusterID, region: registry?.cluster.region ?? "", node: own.id, leader: own.leader, term: own.term, nodes: rows,
            health: Self.health(own, rows))
    }

    private static func health(_ own: NodeStatus, _ rows: [ClusterStatus.Row]) -> ClusterStatus.Health {
        let voters = rows.filter(\.voter)
        let answering = voters.filter { $0.role != "unreachable" }
        guard own.leader != nil, answering.count * 2 > voters.count else { return .noQuorum }
        let isWell = rows.allSatisfy { $0.role != "unreachable" && $0.diskLow != true && $0.voter && $0.state == "active" && ($0.certificateDays ?? 99) >= 3 }
        return isWell ? .healthy : .degraded
    }
}
