/// Which request of each client was executed last, and what came of it: a request that comes again changes nothing (thesis §6.3).
///
/// Part of the replicated state. When it is full, the session that was used longest ago goes, which is the same one on every node.
struct ClientSessions: Hashable, Sendable {
    private struct Session: Hashable, Sendable {
        let id: UInt64
        let sequence: UInt64
        let reply: CommandReply
    }

    enum Verdict: Equatable {
        case new
        case repeated(CommandReply)
        /// Older than the newest of its session, or of a session that is not known any more: whether it was executed cannot be told.
        case refused
    }

    private let maximum: Int
    /// The one that was used longest ago comes first.
    private var table: [Session] = []
    /// The highest session that had to go. An unknown one that is not above it may be one that was known.
    private var forgottenThrough: UInt64 = 0

    init(maximum: Int) { self.maximum = maximum }

    func reply(session: UInt64, sequence: UInt64) -> CommandReply? {
        table.first { $0.id == session && $0.sequence == sequence }?.reply
    }

    func verdict(session: UInt64, sequence: UInt64) -> Verdict {
        // A session begins with its first request, so nobody needs to open one.
        guard let known = table.first(where: { $0.id == session }) else { return sequence == 1 && session > forgottenThrough ? .new : .refused }
        if known.sequence == sequence { return .repeated(known.reply) }
        return sequence > known.sequence ? .new : .refused
    }

    mutating func record(session: UInt64, sequence: UInt64, reply: CommandReply) {
        table.removeAll { $0.id == session }
        table.append(Session(id: session, sequence: sequence, reply: reply))
        if table.count > maximum { forgottenThrough = max(forgottenThrough, table.removeFirst().id) }
    }

    // MARK: In images

    var words: [UInt64] { [forgottenThrough] + table.flatMap { [$0.id, $0.sequence, $0.reply.word] } }

    init(maximum: Int, words: [UInt64]) {
        self.maximum = maximum
        forgottenThrough = words.first ?? 0
        for start in stride(from: 1, to: words.count - 2, by: 3) {
            table.append(Session(id: words[start], sequence: words[start + 1], reply: CommandReply(word: words[start + 2])))
        }
    }
}
