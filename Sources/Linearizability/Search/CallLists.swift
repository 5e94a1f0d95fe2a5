/// Calls and returns by time, without those that have their place in the order already: two doubly linked lists in arrays.
///
/// The first list has the calls and returns of operations that must take effect. The second has the calls of those that need not; they are tried
/// last, because most of them explain nothing. What is taken out keeps its links, so that it can be put back where it was, in the opposite order.
struct CallLists {
    /// Nodes: call of operation i is i, its return is count + i, then the two ends.
    let count: Int
    private var next: [Int]
    private var previous: [Int]
    /// By node: place in time.
    private let place: [Int]

    /// Both the beginning and the end of a list.
    var required: Int { 2 * count }
    var optional: Int { 2 * count + 1 }

    /// - Parameter times: Of the call, and of the return for those that must take effect. A call and a return at one time overlap.
    init(_ times: [(called: UInt64, deadline: UInt64?)]) {
        let count = times.count
        self.count = count
        var events: [(time: UInt64, node: Int)] = []
        for (call, time) in times.enumerated() {
            events.append((time.called, call))
            if let deadline = time.deadline { events.append((deadline, count + call)) }
        }
        // Of one time, calls come first: their numbers are lower.
        events.sort { ($0.time, $0.node) < ($1.time, $1.node) }
        var place = Array(repeating: 0, count: 2 * count)
        next = Array(0..<2 * count + 2)
        previous = next
        for (position, event) in events.enumerated() {
            place[event.node] = position
            let isRequired = event.node >= count || times[event.node].deadline != nil
            let end = isRequired ? 2 * count : 2 * count + 1
            let last = previous[end]
            (next[last], previous[event.node], next[event.node], previous[end]) = (event.node, last, end, event.node)
        }
        self.place = place
    }

    func after(_ node: Int) -> Int { next[node] }
    func isReturn(_ node: Int) -> Bool { node >= count && node < 2 * count }
    func isCall(_ node: Int) -> Bool { node < count }
    func isCalled(_ call: Int, before returning: Int) -> Bool { place[call] < place[returning] }

    /// The first return of all that are left: what takes effect next is called before it.
    ///
    /// - Precondition: An operation that must take effect is left.
    var firstReturn: Int {
        var node = next[required]
        while node < count { node = next[node] }
        return node
    }

    mutating func take(_ call: Int, isRequired: Bool) {
        unlink(call)
        if isRequired { unlink(count + call) }
    }

    mutating func putBack(_ call: Int, isRequired: Bool) {
        if isRequired { link(count + call) }
        link(call)
    }

    private mutating func unlink(_ node: Int) {
        next[previous[node]] = next[node]
        previous[next[node]] = previous[node]
    }

    private mutating func link(_ node: Int) {
        next[previous[node]] = node
        previous[next[node]] = node
    }
}
