import Raft

/// Effects as text, one line each, in the order in which they are carried out.
func lines(of effects: Effects) -> [String] {
    var lines: [String] = []
    if let standing = effects.standing { lines.append("is \(standing)") }
    if let write = effects.write { lines.append("write \(write)") }
    for outgoing in effects.messages {
        lines.append("send \(outgoing.message)\(outgoing.after.map { " after \($0)" } ?? "")")
    }
    if let range = effects.apply { lines.append("apply \(range.lowerBound)...\(range.upperBound)") }
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
