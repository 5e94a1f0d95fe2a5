/// What a client asked for and what it was told, with the times of both on one clock that all clients share.
package struct Operation<Key: Hashable & Comparable & Sendable, M: Model>: Sendable {
    package let client: Int
    package let key: Key
    package let input: M.Input
    /// Any unit.
    package let called: UInt64
    /// When the answer came. Nil for none: the operation may take effect at any time after the call, see ``Outcome/info``.
    package var returned: UInt64?
    package var outcome: Outcome<M.Output>
    /// Index of the log at which it took effect; for a read, the one up to which the answering state was applied.
    package var logIndex: UInt64?

    /// - Precondition: An answer comes with its time, which is not before the call.
    package init(
        client: Int, key: Key, input: M.Input, called: UInt64, returned: UInt64?, outcome: Outcome<M.Output>, logIndex: UInt64? = nil
    ) {
        if case .ok = outcome { precondition(returned != nil, "an answer has a time") }
        precondition(returned.map { $0 >= called } ?? true, "the answer comes after the call")
        self.client = client
        self.key = key
        self.input = input
        self.called = called
        self.returned = returned
        self.outcome = outcome
        self.logIndex = logIndex
    }

    /// When it must have taken effect; nil if it never did or need not have.
    var deadline: UInt64? {
        switch outcome {
        case .ok, .applied: returned ?? .max
        case .fail, .info: nil
        }
    }

    var output: M.Output? { if case .ok(let output) = outcome { output } else { nil } }
    var isInfo: Bool { if case .info = outcome { true } else { false } }
    var isFail: Bool { if case .fail = outcome { true } else { false } }
}

package enum Outcome<Output: Sendable>: Sendable {
    case ok(Output)
    /// It was not executed and never will be; only answers that prove this count as such.
    case fail
    /// Nobody knows, for instance after a timeout: it may take effect once, at any time after the call, or never.
    case info
    /// It took effect before ``Operation/returned``, or at some time when that is nil, and nobody saw its answer. Found out afterwards, see
    /// ``History/resolved(by:)``.
    case applied
}

extension Operation: CustomStringConvertible {
    package var description: String {
        let place = logIndex.map { " at index \($0)" } ?? ""
        return "client \(client) [\(called), \(returned.map(String.init) ?? "...")] \(key): \(input) -> \(outcome)\(place)"
    }
}

extension Outcome: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ok(let output): "\(output)"
        case .fail: "not executed"
        case .info: "unknown"
        case .applied: "executed, answer unknown"
        }
    }
}
