import LMDB

/// One table of the replicated state, with the name that its rows are sealed and hashed under.
struct StateTable: Sendable {
    let name: String
    let raw: RawTable
}

/// The tables of the replicated state.
struct StateTables: Sendable {
    /// Account and name -> sealed ``SecretRecord``.
    let secrets: StateTable
    /// Value number -> wrapped data key and ciphertext. Appended, never changed.
    let values: StateTable
    /// Secret number -> sealed text of the resource policy, apart from the record so that reads of values do not decrypt it.
    let policies: StateTable
    /// Account, sort order, sort key -> secret: what `ListSecrets` walks over. See ``ListKey``.
    let listing: StateTable
    /// Deletion date, secret number -> secret: what is due.
    let deletions: StateTable
    /// Account -> sealed ``AccountRecord``.
    let accounts: StateTable
    /// Access key id -> sealed ``StoredAccessKey``.
    let accessKeys: StateTable
    /// Node id -> sealed ``NodeRecord``. Rows are never deleted.
    let nodes: StateTable
    /// SHA-256 of a join token's secret -> sealed ``JoinTokenRecord``.
    let joinTokens: StateTable
    /// One row: sealed ``ClusterRecord``.
    let cluster: StateTable
    /// Proposal id -> outcome, of the last ``Limits/proposalsRemembered`` positions.
    let proposals: StateTable
    /// Log index -> proposal id: the order in which proposals are forgotten.
    let proposalOrder: StateTable
    /// Identity and ``MachinePosition``. Not part of the state hash, which it holds.
    let meta: StateTable

    init(_ environment: Environment) throws(LMDBError) {
        func open(_ name: String) throws(LMDBError) -> StateTable { StateTable(name: name, raw: try environment.openRawTable(name)) }
        secrets = try open("secrets")
        values = try open("values")
        policies = try open("policies")
        listing = try open("listing")
        deletions = try open("deletions")
        accounts = try open("accounts")
        accessKeys = try open("accessKeys")
        nodes = try open("nodes")
        joinTokens = try open("joinTokens")
        cluster = try open("cluster")
        proposals = try open("proposals")
        proposalOrder = try open("proposalOrder")
        meta = try open("meta")
    }

    /// Every table, in a fixed order, which is part of the format of snapshots.
    var all: [StateTable] {
        [secrets, values, policies, listing, deletions, accounts, accessKeys, nodes, joinTokens, cluster, proposals, proposalOrder, meta]
    }

    /// The names of ``all``, in the same order.
    static let names = [
        "secrets", "values", "policies", "listing", "deletions", "accounts", "accessKeys", "nodes", "joinTokens", "cluster", "proposals",
        "proposalOrder", "meta",
    ]
    /// The place of ``meta`` among them.
    static let metaNumber = names.count - 1
}
