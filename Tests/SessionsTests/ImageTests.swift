import Testing

@testable import Sessions

@Suite("The image of the table")
struct ImageTests {
    private static func table() throws -> SessionTable<MemorySessionRows> {
        var life = Life(seed: 5) {
            $0.sessionCountMax = 4
            $0.windowWidth = 6
            $0.outcomeByteCountMax = 30
        }
        _ = try life.firstDisagreement(steps: 200)
        return life.table
    }

    @Test("the bytes of a small table")
    func bytes() throws {
        var table = SessionTable(settings: SessionSettings())
        let id = table.register(nonce: 0x0102, at: 3).id
        let request = SessionRequest(session: id, sequence: 6, answeredBelow: 5)
        _ = table.begin(request, at: 9)
        table.finish(request, outcome: [0xaa, 0xbb])
        func word(_ low: UInt8, _ high: UInt8 = 0, byteCount: Int = 8) -> [UInt8] { [low, high] + Array(repeating: 0, count: byteCount - 2) }
        let executed = word(6) + word(3, byteCount: 4) + [0xaa, 0xbb]
        #expect(table.encoded() == [1] + word(1, byteCount: 4) + word(3) + word(2, 1) + word(9) + word(5) + word(1, byteCount: 4) + executed)
    }

    @Test("an image that is cut anywhere, or has more, is refused")
    func cut() throws {
        let table = try Self.table()
        let bytes = table.encoded()
        #expect(table.rows.count == 4)
        for count in bytes.indices {
            #expect(throws: SessionImageProblem.self) { try SessionTable(encoded: Array(bytes[..<count]), settings: table.settings) }
        }
        #expect(throws: SessionImageProblem.trailing(offset: bytes.count)) { try SessionTable(encoded: bytes + [0], settings: table.settings) }
    }

    @Test("bytes that are taken are the bytes that the table has")
    func isCanonical() throws {
        let table = try Self.table()
        let bytes = table.encoded()
        var refused = 0
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << UInt8(bit)
                do {
                    #expect(try SessionTable(encoded: changed, settings: table.settings).encoded() == changed)
                } catch { refused += 1 }
            }
        }
        #expect(refused > bytes.count)
    }

    @Test("what no table with these limits holds is refused")
    func limits() throws {
        let table = try Self.table()
        let bytes = table.encoded()
        for change: (inout SessionSettings) -> Void in [{ $0.sessionCountMax = 3 }, { $0.windowWidth = 1 }, { $0.outcomeByteCountMax = 1 }] {
            var settings = table.settings
            change(&settings)
            #expect(throws: SessionImageProblem.self) { try SessionTable(encoded: bytes, settings: settings) }
        }
        #expect(throws: SessionImageProblem.unknownVersion(2)) { try SessionTable(encoded: [2] + bytes.dropFirst(), settings: table.settings) }
    }

    @Test("a row that was used before it was registered is refused, and rows in another order")
    func impossibleRows() throws {
        var table = SessionTable(settings: SessionSettings())
        _ = table.register(nonce: 0, at: 3)
        _ = table.register(nonce: 0, at: 4)
        let bytes = table.encoded()
        let (head, first, second) = (Array(bytes[..<5]), Array(bytes[5..<41]), Array(bytes[41..<77]))
        #expect(throws: SessionImageProblem.notCanonical(offset: 77)) { try SessionTable(encoded: head + second + first, settings: table.settings) }
        #expect(throws: SessionImageProblem.notCanonical(offset: 77)) { try SessionTable(encoded: head + first + first, settings: table.settings) }
        var early = bytes
        early[5 + 16] = 2
        #expect(throws: SessionImageProblem.notCanonical(offset: 5)) { try SessionTable(encoded: early, settings: table.settings) }
    }

    @Test("rows are told apart by both halves of the id, and read one after the other")
    func rows() throws {
        let table = try Self.table()
        var row = table.rows.row(after: nil)
        var ids: [SessionID] = []
        while let found = row {
            #expect(table.rows.get(found.id) == found)
            #expect(try SessionRow(encoded: found.encoded, settings: table.settings) == found)
            ids.append(found.id)
            row = table.rows.row(after: found.id)
        }
        #expect(ids == ids.sorted())
        try #require(ids.count == 4)
        let missing = SessionID(registeredAt: ids[1].registeredAt, nonce: ids[1].nonce + 10)
        #expect(table.rows.get(missing) == nil)
        #expect(table.rows.row(after: missing)?.id == ids[2])
    }
}
