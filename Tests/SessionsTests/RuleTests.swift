import Testing

@testable import Sessions

@Suite("The rule of the session table")
struct RuleTests {
    private var table: SessionTable<MemorySessionRows>
    private let session: SessionID

    init() {
        var settings = SessionSettings()
        settings.sessionCountMax = 3
        settings.windowWidth = 4
        settings.outcomeByteCountMax = 10
        table = SessionTable(settings: settings)
        session = table.register(nonce: 77, at: 1).id
    }

    private func request(_ sequence: UInt64, _ mark: UInt64 = 1) -> SessionRequest {
        SessionRequest(session: session, sequence: sequence, answeredBelow: mark)
    }

    private mutating func execute(_ sequence: UInt64, _ mark: UInt64 = 1, at index: UInt64, outcome: [UInt8]) {
        #expect(table.begin(request(sequence, mark), at: index) == .fresh)
        table.finish(request(sequence, mark), outcome: outcome)
    }

    @Test("a request that comes again is answered with its first outcome")
    mutating func repeated() {
        execute(1, at: 2, outcome: [5, 6])
        #expect(table.begin(request(1), at: 3) == .repeated([5, 6]))
        execute(2, at: 4, outcome: [])
        #expect(table.begin(request(2), at: 5) == .repeated([]))
        #expect(table.begin(request(1), at: 6) == .repeated([5, 6]))
    }

    @Test("the window is executed in any order")
    mutating func anyOrder() {
        for (index, sequence) in [3, 1, 4, 2].enumerated() { execute(UInt64(sequence), at: UInt64(2 + index), outcome: [UInt8(sequence)]) }
        for sequence in UInt64(1)...4 { #expect(table.verdict(on: request(sequence)) == .repeated([UInt8(sequence)])) }
    }

    @Test("both edges of the window")
    mutating func edges() {
        #expect(table.begin(request(0), at: 2) == .refused(.sequenceTooLow))
        #expect(table.begin(request(5), at: 3) == .refused(.sequenceTooHigh))
        execute(4, at: 4, outcome: [])
        execute(8, 5, at: 5, outcome: [1])
        #expect(table.begin(request(9), at: 6) == .refused(.sequenceTooHigh))
        #expect(table.begin(request(4), at: 7) == .refused(.sequenceTooLow), "a late copy, which still has the old mark")
        #expect(table.begin(request(5), at: 8) == .fresh)
    }

    @Test("numbers at the end of their range are refused or taken like others")
    mutating func extremes() {
        #expect(table.begin(request(.max), at: 2) == .refused(.sequenceTooHigh))
        #expect(table.begin(request(1, .max), at: 3) == .refused(.sequenceTooLow))
        execute(.max, .max, at: 4, outcome: [1])
        #expect(table.begin(request(.max, .max), at: 5) == .repeated([1]))
    }

    @Test("what is refused changes nothing")
    mutating func refusalsChangeNothing() {
        execute(1, at: 2, outcome: [1])
        let before = table
        #expect(table.begin(request(1, 3), at: 3) == .refused(.sequenceTooLow), "its own mark is above it")
        #expect(table.begin(request(9, 2), at: 4) == .refused(.sequenceTooHigh))
        let stranger = SessionRequest(session: SessionID(registeredAt: 1, nonce: 78), sequence: 1, answeredBelow: 1)
        #expect(table.begin(stranger, at: 5) == .refused(.noSession))
        #expect(table == before)
    }

    @Test("the session that was used longest ago goes")
    mutating func eviction() {
        let second = table.register(nonce: 1, at: 2).id
        let third = table.register(nonce: 1, at: 3).id
        execute(1, at: 4, outcome: [9])
        #expect(table.register(nonce: 1, at: 5) == .registered(SessionID(registeredAt: 5, nonce: 1), evicted: [second]))
        #expect(table.begin(request(1), at: 6) == .repeated([9]))
        #expect(table.register(nonce: 1, at: 7) == .registered(SessionID(registeredAt: 7, nonce: 1), evicted: [third]))
        #expect(table.begin(SessionRequest(session: third, sequence: 1, answeredBelow: 1), at: 8) == .refused(.noSession))
    }

    @Test("sessions of one entry go in the order of their ids")
    mutating func evictionWithinOneEntry() {
        let ids = [5, 3].map { table.register(nonce: $0, at: 1).id }
        #expect(table.register(nonce: 1, at: 2) == .registered(SessionID(registeredAt: 2, nonce: 1), evicted: [ids[1]]))
        #expect(table.register(nonce: 1, at: 3) == .registered(SessionID(registeredAt: 3, nonce: 1), evicted: [ids[0]]))
    }

    @Test("a late copy of a registration opens another session")
    mutating func lateRegistration() {
        execute(1, at: 2, outcome: [1])
        let other = table.register(nonce: 77, at: 3)
        #expect(other == .registered(SessionID(registeredAt: 3, nonce: 77), evicted: []))
        #expect(table.begin(request(1), at: 4) == .repeated([1]))
        #expect(table.register(nonce: 77, at: 3) == .known(other.id))
    }

    @Test("outcomes that do not fit go, the lowest first, and are not executed again")
    mutating func outcomesAreBounded() {
        execute(1, at: 2, outcome: [1, 1, 1, 1])
        execute(2, at: 3, outcome: [2, 2, 2, 2])
        execute(3, at: 4, outcome: [3, 3, 3])
        #expect(table.begin(request(1), at: 5) == .repeated(nil))
        #expect(table.begin(request(2), at: 6) == .repeated([2, 2, 2, 2]))
        execute(4, at: 7, outcome: Array(repeating: 4, count: 11))
        for sequence in UInt64(1)...4 { #expect(table.begin(request(sequence), at: 8) == .repeated(nil)) }
    }

    @Test("the default limits are those of the design")
    func defaults() {
        #expect(SessionSettings().sessionCountMax == 8_192)
    }
}
