import NIOCore
import Testing

@testable import PeerLinks

@Suite("Parts of a link")
struct PartsTests {
    @Test("the wait doubles up to its limit, never less than half of it, and begins anew after a reset")
    func backoff() {
        var random = SeededGenerator(seed: 1)
        var backoff = Backoff(from: .milliseconds(50), to: .seconds(2))
        for full in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000] as [Int64] {
            let delay = backoff.delay(using: &random)
            #expect(delay >= .milliseconds(full / 2) && delay <= .milliseconds(full))
        }
        backoff.reset()
        #expect(backoff.delay(using: &random) <= .milliseconds(50))
    }

    @Test("one line a second of each kind, and the next one says how many were left out")
    func rateLimiter() {
        var lines = RateLimiter()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        #expect(lines.admit("a", now: start) == 0)
        #expect(lines.admit("b", now: start) == 0)
        #expect(lines.admit("a", now: start + .milliseconds(500)) == nil)
        #expect(lines.admit("a", now: start + .milliseconds(999)) == nil)
        #expect(lines.admit("a", now: start + .seconds(1)) == 2)
        #expect(lines.admit("a", now: start + .seconds(3)) == 0)
    }
}
