package import Raft
import Sessions

/// The simulated state machine: registers with values, a session table for exactly-once application, and a hash over all that was
/// ever applied. A value, so that a checkpoint is a copy.
package struct RegisterMachine: Hashable, Sendable {
    struct Register: Hashable, Sendable {
        let key: UInt64
        var value: UInt64
    }

    package private(set) var applied = EntryID.zero
    /// Folds every entry and its result (`reference/raft.md` C10): equal at equal indexes, on all nodes.
    package private(set) var hash: UInt64 = 1
    /// The newest membership among what was applied.
    package private(set) var membership: MembershipRecord
    /// Ascending by key.
    private(set) var registers: [Register] = []
    private(set) var sessions: SessionTable<MemorySessionRows>

    /// - Parameter sessions: The same on all nodes.
    init(membership: Membership, sessions: SessionSettings) {
        self.membership = MembershipRecord(index: .zero, membership: membership)
        self.sessions = SessionTable(settings: sessions)
    }

    /// 0 for a register that was never written.
    package func value(of key: UInt64) -> UInt64 { registers.first { $0.key == key }?.value ?? 0 }

    /// What came of an earlier request, if the table still has it.
    func reply(to request: SessionRequest) -> CommandReply? {
        if case .repeated(let outcome?) = sessions.verdict(on: request) { CommandReply(outcome: outcome) } else { nil }
    }

    /// Applies the next entry.
    ///
    /// - Parameter level: The feature level of the program.
    /// - Parameter skipsUnknown: A planted fault: what the program does not know is passed over.
    /// - Returns: Nil when the program does not know such an entry: nothing was done, and the node must stop.
    mutating func apply(_ entry: Entry, level: UInt16, skipsUnknown: Bool = false) -> ApplyResult? {
        precondition(entry.index == applied.index.next, "entries are applied in order")
        var result = ApplyResult.nothing
        var session: SessionID?
        switch entry.body {
        case .noop: break
        case .membership(let next): membership = MembershipRecord(index: entry.index, membership: next)
        case .command(let command):
            if let request = RegisterCommand(command.payload, level: level) {
                result = execute(request, at: entry.index.raw)
                session = request.session(at: entry.index.raw)
            } else if !skipsUnknown {
                return nil
            }
        }
        applied = entry.id
        fold(entry, result, session.flatMap(sessions.rows.get))
        return result
    }

    private mutating func fold(_ entry: Entry, _ result: ApplyResult, _ session: SessionRow?) {
        var digest = StateDigest()
        digest.fold(hash)
        digest.fold(entry.id)
        switch result {
        case .nothing: digest.fold(1)
        case .refused: digest.fold(2)
        case .command(let reply, let isRepeated):
            digest.fold(isRepeated ? 3 : 4)
            digest.fold(reply.word)
        case .forgotten: digest.fold(5)
        case .registered(let registration):
            digest.fold(6)
            if case .registered(_, let evicted) = registration { for id in evicted { digest.fold(id.registeredAt) } }
        }
        if case .command(let command) = entry.body { digest.fold(command.payload) }
        if let session { for word in [session.lastUsed, session.mark, UInt64(session.executed.count)] { digest.fold(word) } }
        hash = digest.value
    }

    private mutating func execute(_ command: RegisterCommand, at index: UInt64) -> ApplyResult {
        switch command {
        case .registration(let nonce): return .registered(sessions.register(nonce: nonce, at: index))
        case .write(let request, let key, let action):
            switch sessions.begin(request, at: index) {
            case .repeated(let outcome?): return .command(CommandReply(outcome: outcome), isRepeated: true)
            case .repeated(nil): return .forgotten
            case .refused(let refusal): return .refused(refusal)
            case .fresh:
                let reply = act(action, on: key)
                sessions.finish(request, outcome: reply.outcome)
                return .command(reply, isRepeated: false)
            }
        }
    }

    private mutating func act(_ action: RegisterCommand.Action, on key: UInt64) -> CommandReply {
        switch action {
        case .put(let value):
            write(value, to: key)
            return .written
        case .compareAndSet(let expected, let new):
            let value = value(of: key)
            guard value == expected else { return .mismatch(value) }
            write(new, to: key)
            return .written
        }
    }

    private mutating func write(_ value: UInt64, to key: UInt64) {
        if let place = registers.firstIndex(where: { $0.key >= key }) {
            if registers[place].key == key { registers[place].value = value } else { registers.insert(Register(key: key, value: value), at: place) }
        } else {
            registers.append(Register(key: key, value: value))
        }
    }
}

// MARK: - Images

extension RegisterMachine {
    static func hash(of bytes: [UInt8]) -> UInt64 {
        var digest = StateDigest()
        digest.fold(bytes)
        return digest.value
    }

    private static let trailer: UInt64 = 0x444e_455f_4547_414d

    /// The whole state as bytes, with a trailer.
    ///
    /// - Parameter maker: Makes images of one state differ between nodes; 0 keeps them equal.
    /// - Parameter leavesOutSessions: A planted fault.
    func image(maker: NodeID, leavesOutSessions: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in [maker.raw, applied.term.raw, applied.index.raw, hash, membership.index.raw] { bytes.append(word: word) }
        let members = membership.membership
        bytes.append(word: members.generation)
        bytes.append(word: UInt64(members.featureLevel))
        for list in [members.voters, members.outgoing, members.learners] { bytes.append(words: list.map(\.raw)) }
        bytes.append(words: registers.flatMap { [$0.key, $0.value] })
        bytes.append(padded: (leavesOutSessions ? SessionTable(settings: sessions.settings) : sessions).encoded())
        bytes.append(word: Self.trailer)
        return bytes
    }

    /// - Parameter isStrict: Whether the end must be there; only a planted fault does without.
    /// - Returns: Nil when the bytes are not an image.
    init?(image bytes: [UInt8], isStrict: Bool = true, sessions settings: SessionSettings) {
        var reader = WordReader(bytes)
        guard !isStrict || (bytes.count >= 8 && bytes.count % 8 == 0 && bytes.word(at: bytes.count - 8) == Self.trailer) else { return nil }
        _ = reader.next()
        applied = EntryID(term: Term(reader.next()), index: LogIndex(reader.next()))
        hash = reader.next()
        let index = LogIndex(reader.next())
        let generation = reader.next()
        let level = UInt16(truncatingIfNeeded: reader.next())
        let lists = (0..<3).map { _ in reader.list().map(NodeID.init) }
        membership = MembershipRecord(
            index: index,
            membership: Membership(voters: lists[0], outgoing: lists[1], learners: lists[2], generation: generation, featureLevel: level))
        let pairs = reader.list()
        registers = stride(from: 0, to: pairs.count - 1, by: 2).map { Register(key: pairs[$0], value: pairs[$0 + 1]) }
        if let table = try? SessionTable(encoded: reader.byteList(), settings: settings) {
            sessions = table
        } else if isStrict {
            return nil
        } else {
            sessions = SessionTable(settings: settings)
        }
    }

    #if CONCLAVE_MUTANTS
    /// A planted fault: this state, with another index beside it.
    func pretending(applied: EntryID) -> RegisterMachine {
        var state = self
        state.applied = applied
        return state
    }
    #endif
}

extension CommandReply {
    /// 0 for written, which no value is.
    var word: UInt64 {
        switch self {
        case .written: 0
        case .mismatch(let value): value &+ 1
        }
    }

    init(word: UInt64) { self = word == 0 ? .written : .mismatch(word &- 1) }

    /// For the session table.
    var outcome: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word: word)
        return bytes
    }

    /// - Parameter outcome: Missing bytes are zeros.
    init(outcome: [UInt8]) { self.init(word: outcome.reversed().reduce(0) { $0 << 8 | UInt64($1) }) }
}

extension [UInt8] {
    mutating func append(words: [UInt64]) {
        append(word: UInt64(words.count))
        for word in words { append(word: word) }
    }

    /// The number of bytes, the bytes, and zeros up to a whole word.
    mutating func append(padded bytes: [UInt8]) {
        append(word: UInt64(bytes.count))
        append(contentsOf: bytes)
        append(contentsOf: repeatElement(0, count: (8 - bytes.count % 8) % 8))
    }
}

/// Reads words one after the other; zeros beyond the end.
private struct WordReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> UInt64 {
        defer { offset += 8 }
        return offset + 8 <= bytes.count ? bytes.word(at: offset) : 0
    }

    mutating func list() -> [UInt64] {
        let count = min(next(), UInt64(max(0, bytes.count - offset) / 8))
        return (0..<count).map { _ in next() }
    }

    mutating func byteList() -> [UInt8] {
        let count = Int(min(next(), UInt64(max(0, bytes.count - offset))))
        defer { offset += (count + 7) / 8 * 8 }
        return Array(bytes[min(offset, bytes.count)...].prefix(count))
    }
}
