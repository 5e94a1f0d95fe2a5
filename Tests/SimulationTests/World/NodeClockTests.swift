import Raft
import Testing

@testable import Simulation

@Suite struct NodeClockTests {
    @Test("a timer is planned for a moment at which the clock shows its time, and not much later", arguments: [-50_000, -500, 0, 500, 50_000])
    func planningATimer(drift: Int) {
        let clock = NodeClock(origin: 5_000_000_000, driftPerMillion: drift)
        for step in 1...200 as ClosedRange<UInt64> {
            let instant = clock.reading(at: VirtualTime(nanoseconds: step * 7_654_321)) + Interval(nanoseconds: step * 1_234_567)
            let time = clock.time(of: instant)
            #expect(clock.reading(at: time) >= instant)
            #expect(clock.reading(at: time).elapsed(since: instant) < .milliseconds(1))
        }
    }

    @Test func clocksDriftApart() {
        let fast = NodeClock(origin: 0, driftPerMillion: 20_000)
        let slow = NodeClock(origin: 0, driftPerMillion: -20_000)
        let end = VirtualTime(nanoseconds: 1_000_000_000)
        #expect(fast.reading(at: end).nanoseconds == 1_020_000_000)
        #expect(slow.reading(at: end).nanoseconds == 980_000_000)
    }

    @Test func aJumpGoesForward() {
        var clock = NodeClock(origin: 0, driftPerMillion: 0)
        let before = clock.reading(at: .zero)
        clock.jump(.milliseconds(30))
        #expect(clock.reading(at: .zero) == before + .milliseconds(30))
    }
}
