/// An array that loses elements at its front and gains them at its end, and whose memory is that of what is in it.
///
/// (`ArraySlice` keeps what was removed from its front alive until it happens to grow.)
struct SlidingArray<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : self[0] }
    var last: Element? { isEmpty ? nil : self[count - 1] }

    subscript(position: Int) -> Element {
        get {
            precondition(position >= 0 && position < count, "a position of an element")
            guard let element = elements[head + position] else { preconditionFailure("only what was removed is nil") }
            return element
        }
        set {
            precondition(position >= 0 && position < count, "a position of an element")
            elements[head + position] = newValue
        }
    }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func removeFirst(_ removed: Int = 1) {
        precondition(removed <= count, "something to remove")
        for position in head..<head + removed { elements[position] = nil }
        head += removed
        guard head >= 64, head * 2 >= elements.count else { return }
        elements.removeFirst(head)
        head = 0
    }

    mutating func removeLast(_ removed: Int = 1) {
        precondition(removed <= count, "something to remove")
        elements.removeLast(removed)
    }

    mutating func removeAll() {
        elements = []
        head = 0
    }

    /// How many elements, from the front, are so before the first that is not. They are so up to some place and not behind it.
    func prefixCount(while isSo: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
