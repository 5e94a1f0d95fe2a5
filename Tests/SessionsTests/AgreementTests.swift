import Testing

@testable import Sessions

/// One random life of a table: registrations, requests in and around the window, copies of old ones, images.
struct Life {
    var random: SplitMix
    var table: SessionTable<MemorySessionRows>
    var naive: NaiveSessions
    var index: UInt64 = 0
    private var ids: [SessionID] = [SessionID(registeredAt: 0, nonce: 0)]
    private var sent: [SessionRequest] = []
    /// What happened how often, to see that the life was not a dull one.
    private(set) var seen: [String: Int] = [:]

    init(seed: UInt64, _ change: (inout SessionSettings) -> Void = { _ in }) {
        random = SplitMix(seed: seed)
        var settings = SessionSettings()
        settings.sessionCountMax = 1 + random.below(5)
        settings.windowWidth = UInt64(1 + random.below(6))
        settings.outcomeByteCountMax = 1 + random.below(40)
        change(&settings)
        table = SessionTable(settings: settings)
        naive = NaiveSessions(settings: settings)
    }

    /// - Returns: The first step at which the table is not what the naive one says.
    mutating func firstDisagreement(steps: Int) throws -> String? {
        for step in 0..<steps {
            index += 1
            if random.chance(percent: 12) || ids.count == 1 {
                let nonce = random.next() % 3
                let (mine, theirs) = (table.register(nonce: nonce, at: index), naive.register(nonce: nonce, at: index))
                if mine != theirs { return "step \(step): \(mine), not \(theirs)" }
                ids.append(mine.id)
            } else {
                let request = nextRequest()
                let (mine, theirs) = (table.begin(request, at: index), naive.begin(request))
                if mine != theirs { return "step \(step): \(request) is \(mine), not \(theirs)" }
                count(mine)
                if mine == .fresh {
                    let outcome = (0..<random.below(12)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    table.finish(request, outcome: outcome)
                    naive.finish(request, outcome: outcome)
                }
            }
            if random.chance(percent: 3), try reopened() != table { return "step \(step): the image is another table" }
        }
        return nil
    }

    private mutating func count(_ verdict: SessionVerdict) {
        switch verdict {
        case .repeated(.some): seen["repeated", default: 0] += 1
        default: seen["\(verdict)", default: 0] += 1
        }
    }

    private mutating func nextRequest() -> SessionRequest {
        if !sent.isEmpty, random.chance(percent: 35) { return sent[max(0, sent.count - 1 - random.below(30))] }
        let id = ids[max(0, ids.count - 1 - random.below(7))]
        let newest = sent.last { $0.session == id }
        let mark = (newest?.answeredBelow ?? 1) + UInt64(random.below(3))
        let sequence = mark + UInt64(random.below(9))
        let request = SessionRequest(session: id, sequence: sequence > 1 ? sequence - 1 : 0, answeredBelow: mark)
        sent.append(request)
        return request
    }

    func reopened() throws -> SessionTable<MemorySessionRows> {
        try SessionTable(encoded: table.encoded(), settings: table.settings)
    }
}

@Suite("The table does what a naive one does")
struct AgreementTests {
    @Test("over generated lives, with images in between")
    func agrees() throws {
        var seen: [String: Int] = [:]
        for seed in UInt64(0)..<120 {
            var life = Life(seed: seed)
            #expect(try life.firstDisagreement(steps: 250) == nil, "seed \(seed)")
            seen.merge(life.seen) { $0 + $1 }
        }
        let kinds: [SessionVerdict] = [
            .fresh, .repeated(nil), .refused(.noSession), .refused(.sequenceTooLow), .refused(.sequenceTooHigh),
        ]
        for kind in kinds.map({ "\($0)" }) + ["repeated"] { #expect(seen[kind, default: 0] > 100, "\(kind) is rare") }
    }

    @Test("the same calls give the same bytes")
    func isDeterministic() throws {
        for seed in UInt64(0)..<20 {
            var (one, other) = (Life(seed: seed), Life(seed: seed))
            _ = try one.firstDisagreement(steps: 200)
            _ = try other.firstDisagreement(steps: 200)
            #expect(one.table.encoded() == other.table.encoded())
            #expect(one.table.rows.count > 0)
        }
    }

    #if CONCLAVE_MUTANTS
    @Test("every planted fault is noticed", arguments: PlantedSessionFault.allCases)
    func faultIsNoticed(_ fault: PlantedSessionFault) throws {
        let seed = try (UInt64(0)..<40).first { seed in
            var life = Life(seed: seed) { $0.plantedFault = fault }
            return try life.firstDisagreement(steps: 250) != nil
        }
        #expect(seed != nil)
    }
    #endif
}
