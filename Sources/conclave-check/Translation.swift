import Linearizability

/// From lines of a history to operations of the models.
///
/// A model's object is a key; a set's are its elements, since a set is one name per element and elements do not touch each other. A list of
/// a set is a look at each element that the history knows.
struct Translation {
    let stepCountMax: Int

    /// - Parameter lines: All of one model and one key, in any order.
    /// - Returns: One verdict; for a set, the worst of its elements, with what is wrong with each.
    /// - Throws: ``HistoryProblem`` for an operation or an argument that the model does not know.
    func verdict(_ model: HistoryLine.Model, key: String, _ lines: [HistoryLine]) throws(HistoryProblem) -> KeyVerdict {
        let settled = Settled(lines)
        let calls = lines.filter { $0.op != "settle" && $0.op != "initial" }.sorted { ($0.call, $0.client) < ($1.call, $1.client) }
        switch model {
        case .register:
            let operations = try calls.map { line throws(HistoryProblem) in try operation(line, try Self.register(line)) }
            return check(RegisterModel(isVersioned: false), operations, kind: model, key: key, stepCountMax: stepCountMax) { input in
                if case .put(let value) = input { settled.fate(value) } else { .unknown }
            }
        case .names:
            let operations = try calls.map { line throws(HistoryProblem) in try operation(line, try Self.names(line)) }
            return check(NameModel(), operations, kind: model, key: key, stepCountMax: stepCountMax) { _ in .unknown }
        case .labels:
            let initial = lines.first { $0.op == "initial" }?.result?.holders ?? [:]
            let names = LabelNames(lines)
            let operations = try calls.map { line throws(HistoryProblem) in try operation(line, try Self.labels(line, names)) }
            return check(
                LabelModel(initial: names.holders(initial)), operations, kind: model, key: key, stepCountMax: stepCountMax) { _ in .unknown }
        case .set: return try setVerdict(key, calls)
        }
    }

    // MARK: One operation

    private struct Asked<M: Linearizability.Model> {
        let input: M.Input
        /// Nil for none in the line.
        let output: M.Output?

        init(_ input: M.Input, _ output: M.Output?) {
            self.input = input
            self.output = output
        }
    }

    private func operation<M: Linearizability.Model>(_ line: HistoryLine, _ asked: Asked<M>) throws(HistoryProblem) -> Operation<String, M> {
        let outcome: Outcome<M.Output>
        switch line.outcome {
        case .ok:
            guard let output = asked.output else { throw Self.incomplete(line, "its result") }
            outcome = .ok(output)
        case .fail: outcome = .fail
        case .unknown: outcome = .info
        }
        // The time of a failure says nothing about the effect.
        let returned = line.outcome == .ok ? line.return : nil
        return Operation(client: line.client, key: line.key, input: asked.input, called: line.call, returned: returned, outcome: outcome)
    }

    private static func register(_ line: HistoryLine) throws(HistoryProblem) -> Asked<RegisterModel> {
        switch line.op {
        case "get": Asked(.get, line.result?.value.map { .read($0, version: nil) })
        case "put": Asked(.put(try required(line, line.args?.value, "value")), .written(version: nil))
        case "cas":
            Asked(
                .compareAndSet(.value(try required(line, line.args?.expected, "expected")), new: try required(line, line.args?.value, "value")),
                line.result?.done.map { $0 ? .written(version: nil) : .mismatch(value: nil, version: nil) }
            )
        default: throw unknown(line)
        }
    }

    private static func names(_ line: HistoryLine) throws(HistoryProblem) -> Asked<NameModel> {
        let done: NameModel.Output? = line.result?.done.map { $0 ? .done : .refused }
        switch line.op {
        case "create": return Asked(.create(token: try required(line, line.args?.token, "token")), done)
        case "delete": return Asked(.delete, done)
        case "restore": return Asked(.restore, done)
        case "purge": return Asked(.purge, done)
        case "look":
            guard line.outcome == .ok else { return Asked(.look, nil) }
            switch line.result?.state {
            case "absent": return Asked(.look, .found(.absent))
            case "live": return Asked(.look, .found(.live(token: try required(line, line.result?.token, "token"))))
            case "deleted": return Asked(.look, .found(.deleted(token: try required(line, line.result?.token, "token"))))
            default: throw incomplete(line, "a state that is absent, live or deleted")
            }
        default: throw unknown(line)
        }
    }

    private static func labels(_ line: HistoryLine, _ names: LabelNames) throws(HistoryProblem) -> Asked<LabelModel> {
        switch line.op {
        case "read": return Asked(.read, line.result?.holders.map { .holders(names.holders($0)) })
        case "move":
            let label = names.label(try required(line, line.args?.label, "label"))
            return Asked(.move(label, from: line.args?.from, to: line.args?.to), line.result?.done.map { $0 ? .moved : .refused })
        default: throw unknown(line)
        }
    }

    // MARK: Sets

    private func setVerdict(_ key: String, _ calls: [HistoryLine]) throws(HistoryProblem) -> KeyVerdict {
        let lists = try calls.filter { $0.op == "list" && $0.outcome == .ok }.map { line throws(HistoryProblem) in
            (line: line, elements: Set(try Self.required(line, line.result?.elements, "elements")))
        }
        var byElement: [String: [Operation<String, NameModel>]] = [:]
        for line in calls where line.op != "list" {
            byElement[try Self.required(line, line.args?.element, "element"), default: []].append(try operation(line, try Self.element(line)))
        }
        // An element that only a list knows was never added by anybody.
        for (_, elements) in lists { for element in elements { byElement[element, default: []] += [] } }
        var worst = KeyVerdict.Kind.linearizable
        var details: [String] = []
        for element in byElement.keys.sorted() {
            var operations = byElement[element] ?? []
            for (line, elements) in lists {
                let seen: NameModel.State = elements.contains(element) ? .live(token: 1) : .absent
                operations.append(
                    Operation(
                        client: line.client, key: key, input: .look, called: line.call, returned: line.return, outcome: .ok(.found(seen))))
            }
            let verdict = check(NameModel(), operations, kind: .set, key: key, stepCountMax: stepCountMax) { _ in .unknown }
            switch (verdict.kind, worst) {
            case (.linearizable, _): continue
            case (.violation, _): worst = .violation
            case (.undecided, .violation): break
            case (.undecided, _): worst = .undecided
            }
            details.append("element \(element): \(verdict.details)")
        }
        return KeyVerdict(model: .set, key: key, operationCount: calls.count, kind: worst, details: details.joined(separator: "\n"))
    }

    private static func element(_ line: HistoryLine) throws(HistoryProblem) -> Asked<NameModel> {
        switch line.op {
        case "add": Asked(.create(token: 1), .done)
        case "look": Asked(.look, line.result?.found.map { .found($0 ? .live(token: 1) : .absent) })
        default: throw unknown(line)
        }
    }

    // MARK: Problems

    private static func required<T>(_ line: HistoryLine, _ value: T?, _ name: String) throws(HistoryProblem) -> T {
        guard let value else { throw incomplete(line, "'\(name)'") }
        return value
    }

    private static func incomplete(_ line: HistoryLine, _ what: String) -> HistoryProblem {
        HistoryProblem(description: "the \(line.op) of \(line.model) \(line.key) called at \(line.call) lacks \(what)")
    }

    private static func unknown(_ line: HistoryLine) -> HistoryProblem {
        HistoryProblem(description: "the model \(line.model) knows no operation '\(line.op)'")
    }
}

/// What the `settle` lines of a key say.
struct Settled {
    private var present: Set<UInt64> = []
    private var absent: Set<UInt64> = []

    init(_ lines: [HistoryLine]) {
        for line in lines where line.op == "settle" {
            present.formUnion(line.result?.present ?? [])
            absent.formUnion(line.result?.absent ?? [])
        }
    }

    func fate(_ trace: UInt64) -> Fate {
        if absent.contains(trace) { .absent } else if present.contains(trace) { .present(logIndex: nil) } else { .unknown }
    }
}

/// Labels of a history by name; those that are not AWS's own are numbered in the order of their names.
struct LabelNames {
    private var numbers: [String: UInt64] = [:]

    init(_ lines: [HistoryLine]) {
        var names: Set<String> = []
        for line in lines {
            if let label = line.args?.label { names.insert(label) }
            names.formUnion((line.result?.holders ?? [:]).keys)
        }
        for (number, name) in names.sorted().enumerated() { numbers[name] = UInt64(number) }
    }

    /// - Precondition: The history has the name.
    func label(_ name: String) -> LabelModel.Label {
        switch name {
        case "AWSCURRENT": return .current
        case "AWSPREVIOUS": return .previous
        case "AWSPENDING": return .pending
        default:
            guard let number = numbers[name] else { preconditionFailure("every label of the history has a number") }
            return .other(number)
        }
    }

    /// Ascending by label.
    func holders(_ versions: [String: UInt64]) -> [LabelModel.Holder] {
        versions.map { LabelModel.Holder(label($0.key), on: $0.value) }.sorted { $0.label < $1.label }
    }
}
