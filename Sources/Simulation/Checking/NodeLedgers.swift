import Raft

/// What the checker knows of one life of one core.
struct NodeLedgers {
    private var campaigns: CampaignLedger
    private var reads = ReadLedger()
    private var proposals = ProposalLedger()
    private var departure = DepartureLedger()

    /// - Parameter lifeBegan: On the node's clock.
    init(lifeBegan: Instant) { campaigns = CampaignLedger(lifeBegan: lifeBegan) }

    /// - Parameters:
    ///   - core: After the step.
    ///   - now: The node's clock.
    mutating func stepped(_ input: Input, _ effects: Effects, _ core: RaftCore, before: CoreGlance, now: Instant) throws(BrokenRule) {
        try campaigns.stepped(input, effects, core, before: before, now: now)
        try reads.stepped(input, effects, core, before: before, now: now)
        try proposals.stepped(input, effects, core, before: before)
        try departure.stepped(input, core, now: now)
    }
}
