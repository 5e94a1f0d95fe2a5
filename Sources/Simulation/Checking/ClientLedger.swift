import Raft
import Sessions

/// What clients were told, against the order in which entries were applied (V11–V14, V27; `reference/raft.md` §4.5 A).
///
/// The index at which an operation took effect is the witness of its place in the one order: operations must follow it in real time, and
/// every answer must be what a register gives at that place.
struct ClientLedger {
    private struct Request: Hashable {
        let session: SessionID
        let sequence: UInt64
    }

    private struct Effect {
        let index: LogIndex
        let reply: CommandReply
    }

    private struct Version {
        let index: LogIndex
        let value: UInt64
    }

    private var sessions = SessionLedger()
    private var effects: [Request: Effect] = [:]
    /// By key, ascending by index.
    private var versions: [UInt64: [Version]] = [:]
    /// The highest index whose effect some client was told of.
    private var seen = LogIndex.zero
    /// By number of the operation: what had been seen when it began.
    private var floors: [Int: LogIndex] = [:]
    /// By number of the operation: where its reads were served.
    private var served: [Int: [Version]] = [:]
    /// By number of the operation: where the read that was answered was served.
    private var readAt: [Int: LogIndex] = [:]
    private var openReads: [Ticket: ClientOperation] = [:]

    // MARK: The state machine

    /// An entry was applied for the first time anywhere.
    mutating func applied(_ command: RegisterCommand, at index: LogIndex, _ result: ApplyResult) throws(BrokenRule) {
        try sessions.applied(command.session(at: index.raw), at: index, result)
        guard case .write(let numbered, let key, let action) = command else { return }
        let request = Request(session: numbered.session, sequence: numbered.sequence)
        switch result {
        case .command(let reply, isRepeated: true):
            // The session table may forget, but what it repeats is true.
            if effects[request]?.reply != reply { throw BrokenRule(rule: "V12 exactly once", text: "the repeated answer at \(index) is not the first one") }
        case .forgotten:
            if effects[request] == nil { throw BrokenRule(rule: "V12 exactly once", text: "the request at \(index) counts as executed, and never was") }
        case .command(let reply, isRepeated: false):
            if let known = effects.updateValue(Effect(index: index, reply: reply), forKey: request) {
                throw BrokenRule(
                    rule: "V12 exactly once", text: "request \(numbered.sequence) of session \(numbered.session.registeredAt) is executed at \(known.index) and at \(index)")
            }
            try executed(action, on: key, at: index, reply)
        case .nothing, .registered, .refused: break
        }
    }

    /// Every reply is the one that the register as it was gives.
    private mutating func executed(_ action: RegisterCommand.Action, on key: UInt64, at index: LogIndex, _ reply: CommandReply) throws(BrokenRule) {
        let before = versions[key]?.last?.value ?? 0
        var truth = CommandReply.written
        if case .compareAndSet(let expected, _) = action, expected != before { truth = .mismatch(before) }
        if reply != truth {
            throw BrokenRule(rule: "V13 linearizable", text: "register \(key) is \(before), and \(action) at \(index) gives \(reply)")
        }
        guard reply == .written else { return }
        switch action {
        case .put(let value), .compareAndSet(_, let value): versions[key, default: []].append(Version(index: index, value: value))
        }
    }

    private func value(of key: UInt64, at index: LogIndex) -> UInt64 {
        guard let list = versions[key] else { return 0 }
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].index <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : list[low - 1].value
    }

    // MARK: Clients

    mutating func invoked(_ operation: ClientOperation) { floors[operation.number] = seen }

    mutating func attempted(_ operation: ClientOperation, ticket: Ticket) {
        if !operation.isWrite { openReads[ticket] = operation }
    }

    /// A node with a state at `applied` reads `value` for a client.
    ///
    /// - Parameter key: Gives the value of a register of that node.
    mutating func readServed(_ ticket: Ticket, applied: LogIndex, value read: (UInt64) -> UInt64) throws(BrokenRule) {
        guard let operation = openReads.removeValue(forKey: ticket) else { return }
        let value = read(operation.key)
        if let floor = floors[operation.number], applied < floor {
            throw BrokenRule(rule: "V14 fresh reads", text: "a read at \(applied), but \(floor) had been seen when it began")
        }
        let expected = self.value(of: operation.key, at: applied)
        if value != expected { throw BrokenRule(rule: "V13 linearizable", text: "register \(operation.key) at \(applied) is \(expected), and \(value) is read") }
        served[operation.number, default: []].append(Version(index: applied, value: value))
    }

    mutating func finished(_ operation: ClientOperation) throws(BrokenRule) {
        let floor = floors.removeValue(forKey: operation.number) ?? .zero
        switch operation.outcome {
        case .read(let value)?:
            guard let index = served.removeValue(forKey: operation.number)?.first(where: { $0.value == value })?.index else {
                throw BrokenRule(rule: "V13 linearizable", text: "\(value) is read from register \(operation.key), and no node served it")
            }
            readAt[operation.number] = index
            seen = max(seen, index)
        case .written?: try answered(operation, .written, floor)
        case .mismatch(let value)?: try answered(operation, .mismatch(value), floor)
        case .unknown?, .failed?, nil: served[operation.number] = nil
        }
    }

    private mutating func answered(_ operation: ClientOperation, _ reply: CommandReply, _ floor: LogIndex) throws(BrokenRule) {
        guard let effect = effect(of: operation) else {
            throw BrokenRule(rule: "V11 durability", text: "operation \(operation.number) is acknowledged and was never applied")
        }
        if effect.reply != reply { throw BrokenRule(rule: "V12 exactly once", text: "operation \(operation.number) gave \(effect.reply), and the client was told \(reply)") }
        if effect.index <= floor {
            throw BrokenRule(rule: "V13 linearizable", text: "operation \(operation.number) took effect at \(effect.index), but \(floor) had been seen when it began")
        }
        seen = max(seen, effect.index)
    }

    private func effect(of operation: ClientOperation) -> Effect? {
        operation.session.flatMap { effects[Request(session: $0, sequence: operation.sequence)] }
    }

    // MARK: The end

    /// Where an operation took effect; for a read, where it was served. Nil for nowhere.
    func index(of operation: ClientOperation) -> LogIndex? { operation.isWrite ? effect(of: operation)?.index : readAt[operation.number] }

    /// V11 and V27: what was acknowledged is in the history, what failed is not.
    func audit(_ history: [ClientOperation]) throws(BrokenRule) {
        for operation in history where operation.isWrite {
            let isDone = effect(of: operation) != nil
            switch operation.outcome {
            case .written?, .mismatch?:
                if !isDone { throw BrokenRule(rule: "V11 durability", text: "operation \(operation.number) is acknowledged and not in the history") }
            case .failed?:
                if isDone { throw BrokenRule(rule: "V27 refused is not done", text: "operation \(operation.number) failed and is in the history") }
            default: break
            }
        }
    }
}
