import Testing

@testable import Sessions

/// Clients with several requests under way, a network that repeats and reorders, and a counter per request that says how often it was executed.
struct Traffic {
    private enum Message {
        case registration(client: Int)
        case request(client: Int, SessionRequest)
    }

    private struct Client {
        var session: SessionID?
        var next: UInt64 = 1
        var open: Set<UInt64> = []
        var mark: UInt64 { open.min() ?? next }
    }

    private var random: SplitMix
    private var table: SessionTable<MemorySessionRows>
    private var clients = Array(repeating: Client(), count: 5)
    /// On their way, and whatever the network may deliver once more.
    private var network: [Message] = []
    private var index: UInt64 = 0
    private var outcomes: [SessionRequestName: [UInt8]] = [:]
    private(set) var executed = 0
    private(set) var evictions = 0
    private(set) var repeats = 0

    private struct SessionRequestName: Hashable {
        let session: SessionID
        let sequence: UInt64
    }

    init(seed: UInt64, _ change: (inout SessionSettings) -> Void = { _ in }) {
        random = SplitMix(seed: seed)
        var settings = SessionSettings()
        settings.sessionCountMax = 4
        settings.windowWidth = 4
        change(&settings)
        table = SessionTable(settings: settings)
    }

    /// - Returns: What was executed twice, or answered differently, or refused although its client was never answered.
    mutating func firstViolation(steps: Int) -> String? {
        for _ in 0..<steps {
            if random.chance(percent: 40) { act(random.below(clients.count)) }
            guard !network.isEmpty else { continue }
            let place = random.below(network.count)
            let message = random.chance(percent: 60) ? network.remove(at: place) : network[place]
            if network.count > 60 { network.remove(at: 0) }
            index += 1
            if let violation = deliver(message) { return violation }
        }
        return nil
    }

    private mutating func act(_ number: Int) {
        guard let session = clients[number].session else { return network.append(.registration(client: number)) }
        let mark = clients[number].mark
        if clients[number].next < mark + table.settings.windowWidth, random.chance(percent: 60) {
            clients[number].open.insert(clients[number].next)
            clients[number].next += 1
        }
        guard let sequence = clients[number].open.sorted().randomElement(using: &random) else { return }
        network.append(.request(client: number, SessionRequest(session: session, sequence: sequence, answeredBelow: clients[number].mark)))
    }

    private mutating func deliver(_ message: Message) -> String? {
        switch message {
        case .registration(let number):
            guard case .registered(let id, let evicted) = table.register(nonce: UInt64(number), at: index) else { return "an id is given out twice" }
            evictions += evicted.count
            if clients[number].session == nil { clients[number] = Client(session: id) }
            return nil
        case .request(let number, let request):
            return apply(request, of: number)
        }
    }

    private mutating func apply(_ request: SessionRequest, of number: Int) -> String? {
        let name = SessionRequestName(session: request.session, sequence: request.sequence)
        let isWaiting = clients[number].session == request.session && clients[number].open.contains(request.sequence)
        switch table.begin(request, at: index) {
        case .fresh:
            let outcome = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
            if outcomes.updateValue(outcome, forKey: name) != nil { return "\(request) is executed twice" }
            executed += 1
            table.finish(request, outcome: outcome)
            answer(request, of: number)
        case .repeated(let outcome):
            repeats += 1
            if outcome != outcomes[name] { return "\(request) is answered with \(outcome ?? []), then with \(outcomes[name] ?? [])" }
            answer(request, of: number)
        case .refused(.noSession):
            if clients[number].session == request.session { clients[number].session = nil }
        case .refused:
            if isWaiting { return "\(request) is refused, and its client waits" }
        }
        return nil
    }

    /// Answers may be lost.
    private mutating func answer(_ request: SessionRequest, of number: Int) {
        if clients[number].session == request.session, random.chance(percent: 60) { clients[number].open.remove(request.sequence) }
    }
}

@Suite("Exactly once, whatever the network does")
struct ExactlyOnceTests {
    @Test("no request is executed twice, none gets two answers, and no waiting client is refused while its session lives")
    func exactlyOnce() {
        var (executed, evictions, repeats) = (0, 0, 0)
        for seed in UInt64(0)..<60 {
            var traffic = Traffic(seed: seed)
            #expect(traffic.firstViolation(steps: 500) == nil, "seed \(seed)")
            executed += traffic.executed
            evictions += traffic.evictions
            repeats += traffic.repeats
        }
        #expect(executed > 2_000 && evictions > 100 && repeats > 1_000, "\(executed) executed, \(evictions) evicted, \(repeats) repeated")
    }

    #if CONCLAVE_MUTANTS
    /// Evicting another session breaks no promise to a client, only the agreement on which one it is.
    @Test("faults that break it are noticed", arguments: [PlantedSessionFault.repeatAppliedAgain, .outcomeNotStored, .windowOffByOne])
    func faultIsNoticed(_ fault: PlantedSessionFault) {
        let seed = (UInt64(0)..<40).first { seed in
            var traffic = Traffic(seed: seed) { $0.plantedFault = fault }
            return traffic.firstViolation(steps: 500) != nil
        }
        #expect(seed != nil)
    }
    #endif
}
