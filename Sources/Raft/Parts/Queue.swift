/// A first-in-first-out buffer: removing from the front does not move the rest each time.
struct Queue<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var head = 0

    init() {}

    var count: Int { storage.count - head }
    var isEmpty: Bool { head == storage.count }
    var first: Element? { isEmpty ? nil : storage[head] }
    var last: Element? { isEmpty ? nil : storage[storage.count - 1] }
    var elements: ArraySlice<Element> { storage[head...] }

    /// The element at `position` counted from the front.
    subscript(position: Int) -> Element {
        get { storage[head + position] }
        set { storage[head + position] = newValue }
    }

    mutating func append(_ element: Element) { storage.append(element) }
    mutating func insert(_ element: Element, at position: Int) { storage.insert(element, at: head + position) }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard let element = first else { return nil }
        removeFirst(1)
        return element
    }

    mutating func removeFirst(_ count: Int) {
        precondition(count <= self.count, "only what is queued can be removed")
        head += count
        if head == storage.count {
            storage.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64 && head * 2 > storage.count {
            storage.removeFirst(head)
            head = 0
        }
    }

    mutating func removeLast(_ count: Int) {
        precondition(count <= self.count, "only what is queued can be removed")
        storage.removeLast(count)
        if head == storage.count { removeAll() }
    }

    mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        head = 0
    }

    mutating func removeAll(where isUnwanted: (Element) -> Bool) {
        guard !isEmpty else { return }
        let kept = elements.filter { !isUnwanted($0) }
        storage = kept
        head = 0
    }
}
