internal import Gateway
internal import LMDB
internal import Node
internal import Raft
internal import SecretStore

/// What the ops listener shows of a node.
struct OpsPages: Sendable {
    let member: ClusterMember
    let store: SecretStore
    let counters: RequestCounters

    /// A leader or a follower of a leader that is heard can serve; without a majority nobody can.
    var health: OpsResponder.Health {
        let facts = member.node.board.facts
        let role = "\(facts.role)"
        let canServe = facts.leader != nil && (facts.role == .leader || facts.role == .follower)
        return OpsResponder.Health(
            canServe: canServe, line: #"{"status":"\#(canServe ? "ok" : "unavailable")","role":"\#(role)","leader":\#(facts.leader.map(\.description) ?? "null")}"#)
    }

    var metrics: MetricsPage {
        let facts = member.node.board.facts
        var page = MetricsPage()
        page.add("conclave_requests_total", .counter, "Requests of clients, by operation and outcome.", counters.all)
        page.add("conclave_raft_term", .gauge, "The term of the consensus core.", facts.term.raw)
        page.add("conclave_raft_is_leader", .gauge, "1 on the node that leads.", facts.role == .leader ? 1 : 0)
        page.add("conclave_raft_has_leader", .gauge, "1 when the node knows a leader.", facts.leader == nil ? 0 : 1)
        page.add("conclave_raft_role", .gauge, "1 for the role that the node has.", [(labels: [("role", "\(facts.role)")], value: 1)])
        page.add("conclave_raft_commit_index", .gauge, "The newest committed log index that the node knows.", facts.commit.raw)
        page.add("conclave_raft_applied_index", .gauge, "The newest log index that the node has applied.", facts.applied.raw)
        page.add("conclave_raft_voters", .gauge, "Voters in the newest committed membership.", facts.membership.membership.voters.count)
        page.add("conclave_open_proposals", .gauge, "Writes of this node's clients that wait for an outcome.", member.node.openProposalCount)
        if let free = member.node.freeByteCount { page.add("conclave_disk_free_bytes", .gauge, "Free bytes on the log's file system.", free) }
        page.add("conclave_disk_low", .gauge, "1 while too little space is free here, and writes are refused.", member.node.isDiskLow ? 1 : 0)
        if let statistics = try? store.environment.statistics() {
            page.add("conclave_state_used_bytes", .gauge, "What the state takes on disk at most.", statistics.usedBytes)
            page.add("conclave_state_map_bytes", .gauge, "Size of the state's memory map.", statistics.mapSizeBytes)
        }
        guard let known = member.latestStatuses else { return page }
        page.add(
            "conclave_certificate_expiry_seconds", .gauge, "Seconds until the node certificate expires.", known.own.certificateNotAfter - WallClock.seconds)
        let peers = known.others.map { peer in
            (labels: [("peer", "\(peer.id)")], value: facts.commit.raw > peer.applied ? facts.commit.raw - peer.applied : 0)
        }
        page.add("conclave_peer_lag_entries", .gauge, "Committed entries that a peer has not applied, as heard within the last seconds.", peers)
        return page
    }
}
