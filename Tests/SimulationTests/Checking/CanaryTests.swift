import Sessions
import Testing

@testable import Simulation

/// V24, as far as it has a meaning without encryption: what clients write is in entries and messages, and never in a line that is printed.
@Suite struct CanaryTests {
    /// Every write's payload is full of zeros, and no list of node ids has one: so an array of payload bytes shows in any line that prints it.
    private static let canary = "0, 0, 0, 0, 0, 0"

    @Test func theCanaryIsInEveryWrite() {
        let request = SessionRequest(session: SessionID(registeredAt: 3, nonce: .max), sequence: 1, answeredBelow: 1)
        let payload = RegisterCommand.write(request, key: 2, .put(77)).encoded(padding: 0)
        #expect("\(payload)".contains(Self.canary))
    }

    @Test("no line of a trace shows payload bytes", arguments: [2, 5, 9] as [UInt64])
    func tracesAreClean(seed: UInt64) {
        var lineCount = 0
        var leaks: [String] = []
        _ = SeedRun(events: 1_500) { SafetyChecker() }.run(seed: seed) { line in
            lineCount += 1
            if line.contains(Self.canary) { leaks.append(line) }
        }
        #expect(lineCount > 1_000)
        #expect(leaks.isEmpty, "\(leaks.first ?? "")")
    }
}
