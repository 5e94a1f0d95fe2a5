import Raft

/// V22: what grows has its limit. The core's own queues are among the invariants that it checks in every step.
enum SpaceRules {
    /// The log is cut neither behind what only it holds, nor so late that it grows for ever.
    ///
    /// - Parameters:
    ///   - core: After the step.
    ///   - durable: What the state machine keeps through any crash.
    static func stepped(_ input: Input, _ effects: Effects, _ core: RaftCore, durable: LogIndex) throws(BrokenRule) {
        if let index = effects.compactBefore, index > durable.next {
            throw BrokenRule(rule: "V22 space", text: "the log is cut before \(index), and the state keeps only what is through \(durable)")
        }
        // A leader keeps more for a follower that fetches an image.
        guard case .stateDurable(let index) = input, core.role != .leader, core.halted == nil else { return }
        let limits = core.settings.limits
        let kept = min(index, core.applied).distance(from: core.firstIndex)
        guard kept >= limits.trailingEntries + limits.compactionStep else { return }
        throw BrokenRule(rule: "V22 space", text: "the log begins at \(core.firstIndex), \(kept) entries behind the durable state")
    }
}
