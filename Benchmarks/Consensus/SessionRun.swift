import Sessions

/// The session table in memory: what it costs to execute a request once.
///
/// Each session sends one request after the other, in turn with the others, and has the answers of all but its newest ones.
struct SessionRun {
    struct Outcome {
        /// Requests begun and finished.
        var steps = 0
        var nanoseconds: UInt64 = 0
        /// Of the table's image.
        var byteCount = 0
        /// Nil when they were not counted.
        var allocations: UInt64?
    }

    static let outcomeByteCount = 64

    private var table: SessionTable<MemorySessionRows>
    private var ids: [SessionID] = []
    private let inFlight: UInt64
    private let outcome = [UInt8](repeating: 7, count: outcomeByteCount)
    private var index: UInt64 = 0
    private var sequence: UInt64 = 0

    /// - Parameter inFlight: Requests of one session that are executed and not answered, at most the width of the window.
    init(sessions count: Int, inFlight: Int) {
        var settings = SessionSettings()
        settings.sessionCountMax = max(settings.sessionCountMax, count)
        table = SessionTable(settings: settings)
        self.inFlight = UInt64(inFlight)
        for _ in 0..<count {
            index += 1
            ids.append(table.register(nonce: index, at: index).id)
        }
        // Until every session has as many in flight as it will have.
        for _ in 0..<inFlight { round() }
    }

    /// Measures for at least so long.
    mutating func run(nanoseconds: UInt64) -> Outcome {
        var outcome = Outcome()
        let roundsAtOnce = max(1, 1_000 / ids.count)
        let allocationsBefore = MallocCounter.current
        let clock = ContinuousClock()
        let start = clock.now
        repeat {
            // The clock is read seldom, for it costs as much as a step.
            for _ in 0..<roundsAtOnce { round() }
            outcome.steps += roundsAtOnce * ids.count
            outcome.nanoseconds = (clock.now - start).nanoseconds
        } while outcome.nanoseconds < nanoseconds
        if let allocationsBefore, let now = MallocCounter.current { outcome.allocations = now - allocationsBefore }
        outcome.byteCount = table.encoded().count
        return outcome
    }

    /// One request of each session.
    private mutating func round() {
        sequence += 1
        let mark = sequence > inFlight ? sequence - inFlight + 1 : 1
        for id in ids {
            index += 1
            let request = SessionRequest(session: id, sequence: sequence, answeredBelow: mark)
            guard table.begin(request, at: index) == .fresh else { preconditionFailure("every request is a new one within the window") }
            table.finish(request, outcome: outcome)
        }
    }
}

extension SessionRun.Outcome {
    func cells(sessions: Int, inFlight: Int) -> [String] {
        let rate = Double(steps) / (Double(nanoseconds) / 1e9)
        let perEntry = allocations.map { Report.hundredths(Double($0) / Double(steps)) }
        return [
            "session table, \(Report.whole(Double(sessions))) \(sessions == 1 ? "session" : "sessions")", Report.bytes(SessionRun.outcomeByteCount),
            "\(inFlight)", "", "", "", "", "", Report.whole(rate), perEntry ?? "", Report.whole(Double(byteCount) / Double(sessions)),
        ]
    }
}
