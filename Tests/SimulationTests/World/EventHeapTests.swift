import Testing

@testable import Simulation

@Suite struct EventHeapTests {
    @Test("events come by time, and in the order of planning at one time")
    func orderOfEvents() {
        var rng = SplitMix(seed: 7)
        var heap = EventHeap()
        for number in 0..<500 { heap.push(.client(number, generation: 0), at: UInt64(rng.below(40))) }
        var popped: [Event] = []
        while let event = heap.pop() { popped.append(event) }
        #expect(popped.count == 500)
        #expect(zip(popped, popped.dropFirst()).allSatisfy { ($0.time, $0.order) < ($1.time, $1.order) })
    }

    @Test func pushAndPopInTurns() {
        var rng = SplitMix(seed: 8)
        var heap = EventHeap()
        var now: UInt64 = 0
        for _ in 0..<1_000 {
            heap.push(.nemesis, at: now + UInt64(rng.below(20)))
            if rng.chance(perMille: 600), let event = heap.pop() {
                #expect(event.time >= now)
                now = event.time
            }
        }
    }

    @Test func slotsAreUsedAgain() {
        var pool = Pool<String>()
        let first = pool.put("a")
        let second = pool.put("b")
        #expect(first != second)
        #expect(pool.take(first) == "a")
        #expect(pool.put("c") == first)
        #expect(pool.peek(first) == "c")
        #expect(pool.peek(second) == "b")
    }
}
