internal import Synchronization

/// Requests of clients, counted by operation and outcome.
///
/// Safe from any thread; one count costs one atomic addition.
package final class RequestCounters: Sendable {
    package enum Outcome: Int, CaseIterable, Sendable {
        case ok, clientError, throttled, serverError

        init(status: UInt16, error: String?) {
            self =
                switch status {
                case 200..<300: .ok
                case 500...: .serverError
                default: error == "ThrottlingException" ? .throttled : .clientError
                }
        }

        package var label: String {
            switch self {
            case .ok: "ok"
            case .clientError: "client_error"
            case .throttled: "throttled"
            case .serverError: "server_error"
            }
        }
    }

    /// What is no operation of ours is counted under this name.
    static let otherName = "other"

    private final class Counts: Sendable {
        let values = Outcome.allCases.map { _ in Counter() }
    }

    private final class Counter: Sendable {
        let value = Atomic<UInt64>(0)
    }

    private let names: [String]
    private let counts: [String: Counts]

    package init() {
        names = (OperationTable.names + [Self.otherName]).sorted()
        counts = Dictionary(uniqueKeysWithValues: names.map { ($0, Counts()) })
    }

    func count(_ operation: String, status: UInt16, error: String?) {
        guard let counts = counts[operation] ?? counts[Self.otherName] else { return }
        counts.values[Outcome(status: status, error: error).rawValue].value.add(1, ordering: .relaxed)
    }

    /// Every count that is not zero, by operation and outcome.
    package var all: [(labels: [(String, String)], value: UInt64)] {
        names.flatMap { name in
            Outcome.allCases.compactMap { outcome in
                guard let value = counts[name]?.values[outcome.rawValue].value.load(ordering: .relaxed), value > 0 else { return nil }
                return ([("operation", name), ("outcome", outcome.label)], value)
            }
        }
    }
}
