import Keyring
import Testing

@testable import SecretStore

@Suite("Lists", .timeLimit(.minutes(1)))
struct ListTests {
    @Test("pages of every order, direction and filter are the slices of a sorted array", arguments: [1, 2, 3] as [UInt64])
    func againstModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try StoreFixture()
        try fill(fixture, count: 800, &generator)
        let all = try records(fixture)
        for order in SecretOrder.allCases {
            for isDescending in [false, true] {
                for includesScheduled in [false, true] {
                    var query = ListQuery(account: StoreFixture.account)
                    query.order = order
                    query.isDescending = isDescending
                    query.includesScheduled = includesScheduled
                    query.limit = Int.random(in: 1...100, using: &generator)
                    var expected = all.filter { includesScheduled || $0.deletion == nil }.sorted { Self.precedes($0, $1, order) }
                    if isDescending { expected.reverse() }
                    #expect(try pages(fixture, query).map(\.name) == expected.map(\.name), "\(order) \(isDescending) \(includesScheduled)")
                    let wanted: (SecretRecord) -> Bool = { $0.number % 7 == 3 }
                    #expect(try pages(fixture, query, where: wanted).map(\.name) == expected.filter(wanted).map(\.name))
                }
            }
        }
    }

    @Test("the last page has no cursor, also when it is full")
    func lastPage() throws {
        let fixture = try StoreFixture()
        for number in 0..<6 { _ = try fixture.create("s\(number)") }
        var query = ListQuery(account: StoreFixture.account)
        query.limit = 3
        let first = try fixture.store.list(query)
        #expect(first.records.map(\.name.rawValue) == ["s0", "s1", "s2"])
        let next = try #require(first.next)
        query.cursor = next
        let second = try fixture.store.list(query)
        #expect(second.records.map(\.name.rawValue) == ["s3", "s4", "s5"])
        #expect(second.next == nil)
        #expect(try fixture.store.list(ListQuery(account: StoreFixture.otherAccount)).records.isEmpty)
    }

    @Test("a list goes on where it was although secrets come and go in between")
    func changesBetweenPages() throws {
        let fixture = try StoreFixture()
        for number in 0..<6 { _ = try fixture.create("s\(number)") }
        var query = ListQuery(account: StoreFixture.account)
        query.order = .name
        query.limit = 2
        let next = try #require(try fixture.store.list(query).next)
        query.cursor = next
        try fixture.apply(.deleteSecret(.of("s1"), .immediately))
        try fixture.apply(.deleteSecret(.of("s2"), .immediately))
        _ = try fixture.create("s25")
        #expect(try fixture.store.list(query).records.map(\.name.rawValue) == ["s25", "s3"])
    }

    @Test("a page opens a bounded number of records and says where to go on")
    func boundedExamination() throws {
        let fixture = try StoreFixture()
        let count = Limits.recordsExaminedPerPageMax + 10
        try create(fixture, count: count)
        var query = ListQuery(account: StoreFixture.account)
        query.order = .name
        var opened = 0
        let last = SecretName("s\(count - 1 + 10_000)")
        let first = try fixture.store.list(query) { record in
            opened += 1
            return record.name == last
        }
        #expect(opened == Limits.recordsExaminedPerPageMax)
        #expect(first.records.isEmpty)
        let next = try #require(first.next)
        query.cursor = next
        opened = 0
        let rest = try fixture.store.list(query) { _ in
            opened += 1
            return true
        }
        #expect(rest.records.count == 10 && opened == 10 && rest.next == nil)
        query.cursor = nil
        opened = 0
        _ = try fixture.store.list(query) { _ in
            opened += 1
            return true
        }
        #expect(opened == Limits.secretsPerPageMax + 1, "an unfiltered page costs the page")
    }

    @Test("entries passed over because they are scheduled are not opened")
    func scheduledAreSkipped() throws {
        let fixture = try StoreFixture()
        for number in 0..<20 {
            _ = try fixture.create("s\(number)")
            if number < 15 { try fixture.apply(.deleteSecret(.of("s\(number)"), .afterWindow(days: 7))) }
        }
        var opened = 0
        let page = try fixture.store.list(ListQuery(account: StoreFixture.account)) { _ in
            opened += 1
            return true
        }
        #expect(page.records.count == 5 && opened == 5)
    }

    @Test("a cursor is 1 to 480 bytes of anything; nonsense finds some place to go on", arguments: [1, 8, 16, 480])
    func cursors(byteCount: Int) throws {
        #expect(ListCursor([]) == nil)
        #expect(ListCursor([UInt8](repeating: 0, count: 481)) == nil)
        let fixture = try StoreFixture()
        _ = try fixture.create("s")
        var query = ListQuery(account: StoreFixture.account)
        for order in SecretOrder.allCases {
            query.order = order
            query.cursor = ListCursor([UInt8](repeating: 0, count: byteCount))
            #expect(try fixture.store.list(query).records.count == 1)
            query.cursor = ListCursor([UInt8](repeating: 0xFF, count: byteCount))
            #expect(try fixture.store.list(query).records.isEmpty)
        }
    }

    // MARK: The model

    private static func precedes(_ a: SecretRecord, _ b: SecretRecord, _ order: SecretOrder) -> Bool {
        switch order {
        case .created: (a.createdAt, a.number) < (b.createdAt, b.number)
        case .changed: (a.changedAt, a.number) < (b.changedAt, b.number)
        case .accessed: (a.lastAccessedDay?.daysSince1970 ?? 0, a.number) < (b.lastAccessedDay?.daysSince1970 ?? 0, b.number)
        case .name: a.name < b.name
        }
    }

    private func records(_ fixture: StoreFixture) throws -> [SecretRecord] {
        try fixture.dump().filter { $0.table == "secrets" }.map { row in
            let plaintext = try fixture.store.keyring.openRecord(row.value.span.bytes, table: row.table, key: row.key.span.bytes)
            return try SecretRecord(decoding: plaintext.span.bytes)
        }.filter { $0.account == StoreFixture.account }
    }

    private func pages(_ fixture: StoreFixture, _ first: ListQuery, where isIncluded: (SecretRecord) -> Bool = { _ in true }) throws -> [SecretRecord] {
        var query = first
        var found: [SecretRecord] = []
        repeat {
            let page = try fixture.store.list(query, where: isIncluded)
            #expect(page.records.count <= query.limit)
            #expect(page.next == nil || page.records.count == query.limit)
            found += page.records
            query.cursor = page.next
        } while query.cursor != nil
        return found
    }

    /// Secrets of two accounts, made at few different times, some changed, read, scheduled, removed, or with long names.
    private func fill(_ fixture: StoreFixture, count: Int, _ generator: inout SeededGenerator) throws {
        var names: [String] = []
        try fixture.applyAll { apply in
            for number in 0..<count {
                let name = Self.name(number, &generator)
                names.append(name)
                let time = StoreFixture.start.adding(milliseconds: Int64.random(in: 0..<50, using: &generator))
                let account = number % 10 == 0 ? StoreFixture.otherAccount : StoreFixture.account
                try apply(.createSecret(CreateSecret(secret: .of(name), version: .of("v1", "v", in: name))), account, time)
            }
            for _ in 0..<count {
                let name = names[Int.random(in: names.indices, using: &generator)]
                let time = StoreFixture.start.adding(milliseconds: Int64.random(in: 0..<200, using: &generator))
                let command: Command =
                    switch Int.random(in: 0..<5, using: &generator) {
                    case 0: .updateSecret(UpdateSecret(secret: .of(name), description: "d"))
                    case 1: .deleteSecret(.of(name), .afterWindow(days: 7))
                    case 2: .restoreSecret(.of(name))
                    case 3: .deleteSecret(.of(name), .immediately)
                    default:
                        .recordAccess(
                            [AccessMark(secret: .of(name), version: VersionID("v1"))],
                            day: UTCDay(daysSince1970: Int32.random(in: 20_000..<20_004, using: &generator)))
                    }
                try apply(command, StoreFixture.account, time)
            }
        }
    }

    private func create(_ fixture: StoreFixture, count: Int) throws {
        try fixture.applyAll { apply in
            for number in 0..<count {
                // Fixed width, so that the order of the names is that of the numbers.
                let name = "s\(number + 10_000)"
                try apply(.createSecret(CreateSecret(secret: .of(name))), StoreFixture.account, StoreFixture.start)
            }
        }
    }

    private static func name(_ number: Int, _ generator: inout SeededGenerator) -> String {
        // The beginnings differ within 447 bytes, so that long names sort by name as well.
        let stem = "\(Int.random(in: 0..<1_000_000, using: &generator))-\(number)"
        return generator.chance(5) ? stem + String(repeating: "x", count: 500 - stem.utf8.count) : stem
    }
}
