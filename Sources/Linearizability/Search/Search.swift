/// The search of Wing and Gong for an order, with Lowe's memory of where it has been (J. Wing and C. Gong, "Testing and verifying concurrent
/// objects", 1993; G. Lowe, "Testing for linearizability", 2017).
///
/// It takes an operation that could be the next by its time, asks the model whether the answer fits, and goes on with what is left; where nothing
/// fits, it takes the last one back. The same operations placed in another order with the same state lead to nothing new and are not tried again.
struct Search<M: Model> {
    private struct Visited: Hashable {
        let required: PlacedSet.Form
        let optional: PlacedSet.Form
        let state: M.State
    }

    private struct Placed {
        let call: Int
        /// Before it.
        let state: M.State
    }

    private let model: M
    private let calls: [Call<M>]
    private var lists: CallLists
    private var state: M.State
    private var order: [Placed] = []
    private var required: PlacedSet
    private var optional: PlacedSet
    /// By call: number among those that must take effect, or among those that need not.
    private let ranks: [Int]
    private var requiredLeft: Int
    private var visited: Set<Visited> = []

    private var longest: [Int] = []
    private var longestRequiredLeft = Int.max
    private var longestEnd: (state: M.State, firstReturn: Int, candidates: [Int])?
    /// The first of ``longest`` that are also the first of ``order``.
    private var commonCount = 0

    init(model: M, calls: [Call<M>]) {
        self.model = model
        self.calls = calls.sorted { ($0.called, $0.number) < ($1.called, $1.number) }
        state = model.initial
        lists = CallLists(self.calls.map { ($0.called, $0.deadline) })
        var counts = (required: 0, optional: 0)
        ranks = self.calls.map { call in
            if call.deadline != nil { counts.required += 1 } else { counts.optional += 1 }
            return call.deadline != nil ? counts.required - 1 : counts.optional - 1
        }
        requiredLeft = counts.required
        required = PlacedSet(capacity: counts.required)
        optional = PlacedSet(capacity: counts.optional)
    }

    mutating func run(stepCountMax: Int) -> SearchResult<M.State> {
        guard requiredLeft > 0 else { return .found }
        var stepCount = 0
        var firstReturn = lists.firstReturn
        var node = lists.after(lists.required)
        while true {
            if lists.isReturn(node) { node = lists.after(lists.optional) }
            guard lists.isCall(node), lists.isCalled(node, before: firstReturn) else {
                noteDeadEnd(firstReturn)
                guard let last = order.popLast() else { return .none(deadEnd()) }
                takeBack(last)
                firstReturn = lists.firstReturn
                node = lists.after(last.call)
                continue
            }
            stepCount += 1
            if stepCount > stepCountMax { return .gaveUp }
            if place(node) {
                if requiredLeft == 0 { return .found }
                firstReturn = lists.firstReturn
                node = lists.after(lists.required)
            } else {
                node = lists.after(node)
            }
        }
    }

    /// - Returns: Whether it fits and leads to something new.
    private mutating func place(_ call: Int) -> Bool {
        guard let next = model.step(state, calls[call].input, calls[call].output) else { return false }
        let isRequired = calls[call].deadline != nil
        // What need not take effect and changes nothing is as good as left out.
        if !isRequired, next == state { return false }
        if isRequired { required.insert(ranks[call]) } else { optional.insert(ranks[call]) }
        guard visited.insert(Visited(required: required.form, optional: optional.form, state: next)).inserted else {
            if isRequired { required.remove(ranks[call]) } else { optional.remove(ranks[call]) }
            return false
        }
        order.append(Placed(call: call, state: state))
        state = next
        lists.take(call, isRequired: isRequired)
        if isRequired { requiredLeft -= 1 }
        return true
    }

    private mutating func takeBack(_ last: Placed) {
        commonCount = min(commonCount, order.count)
        state = last.state
        let isRequired = calls[last.call].deadline != nil
        if isRequired { required.remove(ranks[last.call]) } else { optional.remove(ranks[last.call]) }
        lists.putBack(last.call, isRequired: isRequired)
        if isRequired { requiredLeft += 1 }
    }

    // MARK: The witness

    private mutating func noteDeadEnd(_ firstReturn: Int) {
        // Among equally long ones, the one with the fewest operations that need not be there.
        guard (requiredLeft, order.count) < (longestRequiredLeft, longest.count) else { return }
        longestRequiredLeft = requiredLeft
        // Only what differs from the longest one so far, so that a long history is not copied again and again.
        longest.removeSubrange(commonCount...)
        longest.append(contentsOf: order[commonCount...].map(\.call))
        commonCount = order.count
        var candidates: [Int] = []
        for list in [lists.required, lists.optional] {
            var node = lists.after(list)
            while lists.isCall(node), lists.isCalled(node, before: firstReturn) {
                candidates.append(node)
                node = lists.after(node)
            }
        }
        longestEnd = (state, firstReturn - lists.count, candidates)
    }

    private func deadEnd() -> DeadEnd<M.State> {
        guard let longestEnd else { preconditionFailure("a search that fails has come to an end somewhere") }
        return DeadEnd(
            prefix: longest.map { calls[$0].number }, state: longestEnd.state, blocked: calls[longestEnd.firstReturn].number,
            candidates: longestEnd.candidates.map { calls[$0].number })
    }
}
