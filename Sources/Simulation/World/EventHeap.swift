/// Something that will happen. Small and without references: what it carries lies in a ``Pool``.
struct Event {
    enum What {
        /// A message arrives, from the world's message pool.
        case deliver(slot: Int)
        /// A client's attempt arrives at its node, or an answer at its client.
        case request(slot: Int)
        case reply(slot: Int)
        /// A client's waiting is over: for its next operation, or for an answer.
        case client(Int, generation: Int)

        // One life of one node each: nothing happens when that life is over.
        case timer(node: Int, life: Int)
        /// The log thread takes up what is queued.
        case logWork(node: Int, life: Int)
        /// What was appended is synced.
        case logSync(node: Int, life: Int)
        case apply(node: Int, life: Int)
        case checkpoint(node: Int, life: Int)
        /// An input that was ordered by an earlier step, from the world's input pool.
        case input(node: Int, life: Int, slot: Int)
        case restart(node: Int, life: Int)
        /// The nemesis had waited for this life's moment.
        case ambushCrash(node: Int, life: Int)

        case nemesis
        case `operator`
    }

    let time: UInt64
    /// Orders events of one time by when they were planned.
    let order: UInt64
    let what: What

    static func precedes(_ a: Event, _ b: Event) -> Bool { a.time != b.time ? a.time < b.time : a.order < b.order }
}

/// Events by time, and by order of planning where times are equal: a binary heap.
struct EventHeap {
    private var heap: [Event] = []
    private var nextOrder: UInt64 = 0

    var count: Int { heap.count }

    mutating func push(_ what: Event.What, at time: UInt64) {
        let event = Event(time: time, order: nextOrder, what: what)
        nextOrder += 1
        heap.append(event)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Event.precedes(event, heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = event
    }

    mutating func pop() -> Event? {
        guard let first = heap.first, let moved = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return first }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, Event.precedes(heap[child + 1], heap[child]) { child += 1 }
            guard Event.precedes(heap[child], moved) else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = moved
        return first
    }
}

/// Things that wait for their event, named by small numbers that are used again.
struct Pool<Element> {
    private var slots: [Element?] = []
    private var free: [Int] = []

    mutating func put(_ element: Element) -> Int {
        if let slot = free.popLast() {
            slots[slot] = element
            return slot
        }
        slots.append(element)
        return slots.count - 1
    }

    func peek(_ slot: Int) -> Element {
        guard let element = slots[slot] else { preconditionFailure("an event outlived what it carries") }
        return element
    }

    mutating func take(_ slot: Int) -> Element {
        let element = peek(slot)
        slots[slot] = nil
        free.append(slot)
        return element
    }
}
