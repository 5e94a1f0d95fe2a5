/// The sequential object that a history is held against: what one operation after the other would do.
///
/// One value stands for one key; keys do not touch each other (Herlihy and Wing: a history is linearizable when it is for every object).
package protocol Model: Sendable {
    associatedtype Input: Sendable
    associatedtype Output: Sendable
    associatedtype State: Hashable & Sendable

    var initial: State { get }

    /// One operation takes effect.
    ///
    /// - Parameter output: What the client was told. Nil when nobody saw the answer: then any is right.
    /// - Returns: The state after it, or nil when the object cannot answer this in this state.
    func step(_ state: State, _ input: Input, _ output: Output?) -> State?

    /// Whether the operation leaves every state as it is.
    func isRead(_ input: Input) -> Bool

    /// What no other operation of the run leaves in the object, for instance the value that it writes. Nil for nothing of the kind.
    func trace(of input: Input) -> UInt64?

    /// The trace that an answer shows, which proves that the operation that leaves it took effect before. Nil for none.
    func trace(in output: Output) -> UInt64?

    /// Searches an order of these operations. The default does; it is a requirement so that each model gets a copy of the search that
    /// is compiled for it.
    func search(_ calls: [Call<Self>], stepCountMax: Int) -> SearchResult<State>
}

extension Model {
    package func search(_ calls: [Call<Self>], stepCountMax: Int) -> SearchResult<State> {
        var search = Search(model: self, calls: calls)
        return search.run(stepCountMax: stepCountMax)
    }
}
