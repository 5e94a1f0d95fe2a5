/// An operation as the search sees it.
package struct Call<M: Model>: Sendable {
    /// Position in the history.
    let number: Int
    let input: M.Input
    let output: M.Output?
    let called: UInt64
    /// Nil for an operation that need not take effect.
    let deadline: UInt64?
}

package enum SearchResult<State: Sendable>: Sendable {
    case found
    case none(DeadEnd<State>)
    case gaveUp
}

/// Where the longest order ends.
package struct DeadEnd<State: Sendable>: Sendable {
    /// Positions in the history.
    let prefix: [Int]
    let state: State
    let blocked: Int
    /// All that could have been next by their times, among them `blocked`.
    let candidates: [Int]
}
