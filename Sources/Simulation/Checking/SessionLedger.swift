import Raft
import Sessions

/// Which sessions there are, by the log alone: each is used while it is there and not after, and the one that was used longest ago goes (V12).
struct SessionLedger {
    /// By session: where it was opened or last used.
    private var lastUsed: [SessionID: LogIndex] = [:]

    /// A command was applied for the first time anywhere.
    ///
    /// - Parameter session: That it opens or uses.
    mutating func applied(_ session: SessionID, at index: LogIndex, _ result: ApplyResult) throws(BrokenRule) {
        switch result {
        case .registered(.registered(_, let evicted)):
            for gone in evicted { try leaves(gone) }
            lastUsed[session] = index
        case .registered(.known): throw BrokenRule(rule: "V12 exactly once", text: "the session of \(index) was there before its registration")
        case .command, .forgotten:
            guard lastUsed.updateValue(index, forKey: session) != nil else {
                throw BrokenRule(rule: "V12 exactly once", text: "a request is executed at \(index) in a session that is not there")
            }
        case .refused(let refusal):
            if (refusal == .noSession) != (lastUsed[session] == nil) {
                throw BrokenRule(rule: "V12 exactly once", text: "\(refusal) at \(index), and the session is \(lastUsed[session] == nil ? "not " : "")there")
            }
        case .nothing: break
        }
    }

    private mutating func leaves(_ session: SessionID) throws(BrokenRule) {
        guard let used = lastUsed.removeValue(forKey: session), lastUsed.values.allSatisfy({ $0 > used }) else {
            throw BrokenRule(rule: "V12 exactly once", text: "session \(session.registeredAt) is evicted, and is not the one that was used longest ago")
        }
    }
}
