/// What a ledger found. The observer adds where and when.
struct BrokenRule: Error, Hashable {
    /// With its number in `reference/raft.md` §3.2.
    let rule: String
    let text: String
}
