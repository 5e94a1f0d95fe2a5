/// How things print, in logs, traces and test transcripts. Payload bytes never appear, only how many there are.
extension Message: CustomStringConvertible {
    package var description: String { "\(from)→\(to) t\(term) \(payload)" }
}

extension Message.Payload: CustomStringConvertible {
    package var description: String {
        switch self {
        case .preVote(let request): "preVote(\(request))"
        case .preVoteReply(let reply): "preVoteReply(\(reply))"
        case .vote(let request): "vote(\(request))"
        case .voteReply(let reply): "voteReply(\(reply))"
        case .append(let append): "append(\(append))"
        case .appendReply(let reply): "appendReply(\(reply))"
        case .heartbeat(let beat):
            "heartbeat(commit \(beat.commit)\(beat.epoch == 0 ? "" : " epoch \(beat.epoch)"))"
        case .heartbeatReply(let reply):
            "heartbeatReply(applied \(reply.applied)\(reply.epoch == 0 ? "" : " epoch \(reply.epoch)")\(reply.isCounted ? "" : " uncounted"))"
        case .commit(let id): "commit(\(id))"
        case .readIndex(let request): "readIndex(\(request))"
        case .readIndexReply(let request, let id): "readIndexReply(\(request) at \(id.map(\.description) ?? "none"))"
        case .forward(let forward): "forward(\(forward.number): \(forward.proposals.map(\.ticket.description).joined(separator: " ")))"
        case .forwardReply(let reply): "forwardReply(\(reply.items.map(\.description).joined(separator: ", ")))"
        case .timeoutNow(let last): "timeoutNow(expecting \(last))"
        case .snapshotOffer(let meta): "snapshotOffer(\(meta))"
        case .snapshotRequest(let image, let offset): "snapshotRequest(\(image) from \(offset))"
        case .snapshotChunk(let chunk): "snapshotChunk(\(chunk))"
        case .snapshotRefusal(let image, let fault): "snapshotRefusal(\(image) \(fault))"
        case .retire(let generation): "retire(generation \(generation))"
        }
    }
}

extension VoteRequest: CustomStringConvertible {
    package var description: String { "for t\(campaign) last \(last)\(isTransfer ? " transfer" : "")" }
}

extension VoteReply: CustomStringConvertible {
    package var description: String { "for t\(campaign) \(isGranted ? "granted" : "refused")" }
}

extension Append: CustomStringConvertible {
    package var description: String {
        "after \(previous)\(entries.isEmpty ? "" : " [\(entries.map(\.description).joined(separator: ", "))]") commit \(commit)\(epoch == 0 ? "" : " epoch \(epoch)")"
    }
}

extension AppendReply: CustomStringConvertible {
    package var description: String {
        let suffix = (epoch == 0 ? "" : " epoch \(epoch)") + (isCounted ? "" : " uncounted")
        switch result {
        case .matched(let id): return "matched \(id)\(suffix)"
        case .mismatch(let rejected, let hint): return "mismatch at \(rejected) hint \(hint)\(suffix)"
        }
    }
}

extension Entry: CustomStringConvertible {
    package var description: String {
        switch body {
        case .noop: "\(id) noop"
        case .command(let command): "\(id) \(command.payload.count)B"
        case .membership(let membership): "\(id) {\(membership)}"
        }
    }
}

extension Command: CustomStringConvertible {
    package var description: String { "\(payload.count)B" }
}

extension ForwardReply.Item: CustomStringConvertible {
    package var description: String {
        switch result {
        case .appended(let id): "\(ticket) appended \(id)"
        case .refused(let refusal): "\(ticket) refused \(refusal)"
        case .unknown: "\(ticket) unknown"
        }
    }
}

extension SnapshotMeta: CustomStringConvertible {
    package var description: String { "\(image) {\(membership)} \(byteCount)B" }
}

extension SnapshotChunk: CustomStringConvertible {
    package var description: String { "\(image) at \(offset) \(bytes.count)B\(isLast ? " last" : "")" }
}

extension LogWrite: CustomStringConvertible {
    package var description: String {
        var parts = ["\(sequence)"]
        if let hardState { parts.append("term \(hardState.term) vote \(hardState.vote.map(\.description) ?? "none")") }
        if let reset { parts.append("reset to \(reset.last)") }
        if let truncateFrom { parts.append("cut from \(truncateFrom)") }
        if !entries.isEmpty { parts.append("[\(entries.map(\.description).joined(separator: ", "))]") }
        if endsRecovery { parts.append("log is whole") }
        return parts.joined(separator: " ")
    }
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notLeader(let hint): "notLeader(\(hint.map { "hint \($0)" } ?? "no hint"))"
        case .transferring: "transferring"
        case .overloaded: "overloaded"
        case .tooLarge: "tooLarge"
        case .diskStalled: "diskStalled"
        case .featureLevel: "featureLevel"
        case .wrongTerm: "wrongTerm"
        case .superseded: "superseded"
        }
    }
}

extension ProposalResult: CustomStringConvertible {
    package var description: String {
        switch outcome {
        case .committed(let id): "\(ticket) committed \(id)"
        case .refused(let refusal): "\(ticket) refused \(refusal)"
        case .unknown: "\(ticket) unknown"
        }
    }
}

extension ReadResult: CustomStringConvertible {
    package var description: String {
        func list(_ tickets: [Ticket]) -> String { tickets.map(\.description).joined(separator: " ") }
        switch self {
        case .ready(let tickets, let index): return "\(list(tickets)) ready at \(index)"
        case .failed(let tickets, let failure): return "\(list(tickets)) failed \(failure)"
        }
    }
}

extension CommandResult: CustomStringConvertible {
    package var description: String { "\(ticket) \(outcome)" }
}

extension CommandResult.Outcome: CustomStringConvertible {
    package var description: String {
        switch self {
        case .done: "done"
        case .notLeader(let hint): "\(Refusal.notLeader(hint: hint))"
        case .membershipRefused(let refusal): "refused \(refusal)"
        case .transferRefused(let refusal): "refused \(refusal)"
        case .transferTimedOut: "timed out"
        case .unknown: "unknown"
        }
    }
}

extension SnapshotAction: CustomStringConvertible {
    package var description: String {
        switch self {
        case .make: "make"
        case .release(let image): "release \(image)"
        case .sendChunk(let node, let term, let image, let offset, _): "send chunk of \(image) at \(offset) to \(node) in t\(term)"
        case .beginFetch(let meta, let offset): "fetch \(meta.image) from \(offset)"
        case .store(let chunk): "store \(chunk)"
        case .discard(let image): "discard \(image)"
        case .install(let meta, let after): "install \(meta.image) after \(after)"
        }
    }
}

extension Standing: CustomStringConvertible {
    package var description: String { "\(role) t\(term)\(leader.map { " leader \($0)" } ?? "")" }
}
