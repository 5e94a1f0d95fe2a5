import Raft

/// Effects as text, one line each, in the order in which they are carried out.
///
/// - Parameter isLost: Whether the network swallows a message at once.
func lines(of effects: Effects, isLost: (Message) -> Bool = { _ in false }) -> [String] {
    var lines: [String] = []
    if let standing = effects.standing { lines.append("is \(standing)") }
    if let write = effects.write { lines.append("write \(write)") }
    for outgoing in effects.messages {
        let verb = outgoing.after == nil && isLost(outgoing.message) ? "lose" : "send"
        lines.append("\(verb) \(outgoing.message)\(outgoing.after.map { " after \($0)" } ?? "")")
    }
    if let range = effects.apply { lines.append(range.count == 1 ? "apply \(range.lowerBound)" : "apply \(range.lowerBound)…\(range.upperBound)") }
    for result in effects.proposals { lines.append("proposal \(result)") }
    for result in effects.reads { lines.append("read \(result)") }
    for result in effects.commands { lines.append("command \(result)") }
    for action in effects.snapshots { lines.append("snapshot \(action)") }
    if let index = effects.compactBefore { lines.append("compact before \(index)") }
    if let index = effects.prefetch { lines.append("prefetch from \(index)") }
    if let record = effects.committedMembership { lines.append("membership committed at \(record.index) {\(record.membership)}") }
    if let reason = effects.halt { lines.append("halt \(reason)") }
    return lines
}

extension ClosedRange where Bound == LogIndex {
    var count: UInt64 { upperBound.distance(from: lowerBound) + 1 }
}
