/// A register: put, get, compare-and-set, each answered with the version if the object counts them.
///
/// The value is the trace, so every written value must be unique in the run, and not 0.
package struct RegisterModel: Model {
    package enum Condition: Hashable, Sendable {
        case value(UInt64)
        case version(UInt64)
    }

    package enum Input: Hashable, Sendable {
        case get
        case put(UInt64)
        /// Writes `new` if the condition holds.
        case compareAndSet(Condition, new: UInt64)
    }

    /// What is nil was not told.
    package enum Output: Hashable, Sendable {
        case read(UInt64, version: UInt64?)
        case written(version: UInt64?)
        /// The condition did not hold, and nothing was written.
        case mismatch(value: UInt64?, version: UInt64?)
    }

    package struct State: Hashable, Sendable {
        /// Never written: 0.
        package var value: UInt64 = 0
        /// How often it was written; stays 0 when versions are not told.
        package var version: UInt64 = 0
    }

    /// Answers tell the version, so that states with equal values and other versions are told apart.
    private let isVersioned: Bool

    package init(isVersioned: Bool) { self.isVersioned = isVersioned }

    package var initial: State { State() }

    package func step(_ state: State, _ input: Input, _ output: Output?) -> State? {
        switch input {
        case .get: answers(output, .read(state.value, version: state.version)) ? state : nil
        case .put(let value): write(value, state, output)
        case .compareAndSet(let condition, let new):
            if holds(condition, state) {
                write(new, state, output)
            } else {
                answers(output, .mismatch(value: state.value, version: state.version)) ? state : nil
            }
        }
    }

    private func holds(_ condition: Condition, _ state: State) -> Bool {
        switch condition {
        case .value(let value): value == state.value
        case .version(let version): version == state.version
        }
    }

    private func write(_ value: UInt64, _ state: State, _ output: Output?) -> State? {
        let next = State(value: value, version: isVersioned ? state.version + 1 : 0)
        return answers(output, .written(version: next.version)) ? next : nil
    }

    /// Whether what was told, if it was, is the truth.
    private func answers(_ output: Output?, _ truth: Output) -> Bool {
        switch (output, truth) {
        case (nil, _): true
        case (.read(let value, let version)?, .read(let trueValue, let trueVersion)): value == trueValue && isTrue(version, trueVersion)
        case (.written(let version)?, .written(let trueVersion)): isTrue(version, trueVersion)
        case (.mismatch(let value, let version)?, .mismatch(let trueValue, let trueVersion)):
            isTrue(value, trueValue) && isTrue(version, trueVersion)
        default: false
        }
    }

    private func isTrue(_ told: UInt64?, _ truth: UInt64?) -> Bool { told == nil || told == truth }

    package func isRead(_ input: Input) -> Bool { input == .get }

    package func trace(of input: Input) -> UInt64? {
        switch input {
        case .get: nil
        case .put(let value), .compareAndSet(_, let value): value
        }
    }

    package func trace(in output: Output) -> UInt64? {
        switch output {
        case .read(let value, _), .mismatch(let value?, _): value == 0 ? nil : value
        case .written, .mismatch(nil, _): nil
        }
    }
}
