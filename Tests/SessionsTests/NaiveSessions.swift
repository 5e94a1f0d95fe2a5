@testable import Sessions

/// The rule of ``SessionTable`` written down as directly as possible: it keeps everything that ever happened, and looks it up.
struct NaiveSessions {
    private struct Executed {
        let request: SessionRequest
        var outcome: [UInt8]?
    }

    let settings: SessionSettings
    /// The one that was used longest ago comes first.
    private(set) var living: [SessionID] = []
    /// Every mark that was ever taken over, with its session.
    private var marks: [(SessionID, UInt64)] = []
    private var executed: [Executed] = []

    init(settings: SessionSettings) { self.settings = settings }

    mutating func register(nonce: UInt64, at index: UInt64) -> SessionRegistration {
        let id = SessionID(registeredAt: index, nonce: nonce)
        if living.contains(id) { return .known(id) }
        var evicted: [SessionID] = []
        while living.count >= settings.sessionCountMax { evicted.append(living.removeFirst()) }
        living.append(id)
        return .registered(id, evicted: evicted)
    }

    private func mark(of session: SessionID) -> UInt64 { marks.reduce(1) { $1.0 == session ? max($0, $1.1) : $0 } }

    mutating func begin(_ request: SessionRequest) -> SessionVerdict {
        guard living.contains(request.session) else { return .refused(.noSession) }
        let mark = max(mark(of: request.session), request.answeredBelow)
        if request.sequence < mark || request.sequence == 0 { return .refused(.sequenceTooLow) }
        if request.sequence >= mark + settings.windowWidth { return .refused(.sequenceTooHigh) }
        marks.append((request.session, request.answeredBelow))
        living.removeAll { $0 == request.session }
        living.append(request.session)
        let known = executed.first { $0.request.session == request.session && $0.request.sequence == request.sequence }
        return known.map { .repeated($0.outcome) } ?? .fresh
    }

    mutating func finish(_ request: SessionRequest, outcome: [UInt8]) {
        executed.append(Executed(request: request, outcome: outcome))
        let mark = mark(of: request.session)
        let kept = executed.indices.filter { executed[$0].request.session == request.session && executed[$0].request.sequence >= mark }
            .sorted { executed[$0].request.sequence < executed[$1].request.sequence }
        // Drop from the lowest sequence on until the rest fits.
        for place in kept where kept.reduce(0, { $0 + (executed[$1].outcome?.count ?? 0) }) > settings.outcomeByteCountMax {
            executed[place].outcome = nil
        }
    }
}
