/// A name that at most one secret has: create, delete, restore.
///
/// The names of a store are a set, one key per name. A list of names is checked as a look at each of its names, with the times of the list;
/// whether the looks of one list belong to one moment is the index order's part, see ``History/firstBreakOfIndexOrder()``.
///
/// The token is the trace, so every creation must have its own.
package struct NameModel: Model {
    package enum State: Hashable, Sendable {
        case absent
        case live(token: UInt64)
        /// Can be restored, and keeps the name taken.
        case deleted(token: UInt64)
    }

    package enum Input: Hashable, Sendable {
        case create(token: UInt64)
        case delete
        case restore
        /// Takes the name away at once, for good.
        case purge
        case look
    }

    package enum Output: Hashable, Sendable {
        case done
        /// Nothing changed.
        case refused
        case found(State)
    }

    package init() {}

    package var initial: State { .absent }

    package func step(_ state: State, _ input: Input, _ output: Output?) -> State? {
        let (next, truth) = execute(input, state)
        return output == nil || output == truth ? next : nil
    }

    private func execute(_ input: Input, _ state: State) -> (State, Output) {
        switch (input, state) {
        case (.look, _): (state, .found(state))
        case (.create(let token), .absent): (.live(token: token), .done)
        // The same creation again.
        case (.create(let token), .live(let own)) where token == own: (state, .done)
        case (.delete, .live(let token)): (.deleted(token: token), .done)
        case (.restore, .deleted(let token)): (.live(token: token), .done)
        // It needs no restoring, which is a success.
        case (.restore, .live): (state, .done)
        case (.purge, _): (.absent, .done)
        case (.create, _), (.delete, _), (.restore, _): (state, .refused)
        }
    }

    package func isRead(_ input: Input) -> Bool { input == .look }

    package func trace(of input: Input) -> UInt64? {
        if case .create(let token) = input { token } else { nil }
    }

    package func trace(in output: Output) -> UInt64? {
        switch output {
        case .found(.live(let token)), .found(.deleted(let token)): token
        case .done, .refused, .found(.absent): nil
        }
    }
}
