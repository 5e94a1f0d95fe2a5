import LMDB
import Testing

struct KeyTests {
    /// The encoding of a key, by way of a table.
    private func encoding<Key: TableKey>(_ key: Key) throws -> [UInt8] {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: Key.self)
            try environment.write { txn in try table.put(key, [UInt8(1)].span.bytes, in: &txn) }
            return try environment.read { txn in try #require(try table.raw.entries(in: txn).first).key }
        }
    }

    private func decode<Key: TableKey>(_ type: Key.Type, _ bytes: [UInt8]) -> Key? {
        var decoder = KeyDecoder(bytes.span.bytes)
        guard let key = Key(decoding: &decoder), decoder.isAtEnd else { return nil }
        return key
    }

    @Test func `encodings have the documented bytes`() throws {
        try #expect(encoding(UInt64(0x0102_0304_0506_0708)) == [1, 2, 3, 4, 5, 6, 7, 8])
        try #expect(encoding(UInt32(0x0102_0304)) == [1, 2, 3, 4])
        try #expect(encoding("aé") == [0x61, 0xC3, 0xA9])
        try #expect(encoding([UInt8](arrayLiteral: 0, 255)) == [0, 255])
        try #expect(encoding(DelimitedBytes([7, 0, 8])) == [7, 0, 0xFF, 8, 0, 1])
        try #expect(
            encoding(CompositeKey(UInt32(1), CompositeKey(DelimitedBytes([]), "z"))) == [0, 0, 0, 1, 0, 1, 0x7A])
    }

    @Test func `a composite key decodes to what was encoded`() throws {
        let key = CompositeKey(DelimitedBytes([0, 0, 255, 1]), CompositeKey(UInt64.max, [UInt8]([9, 0])))
        #expect(decode(type(of: key), try encoding(key)) == key)
    }

    @Test func `bytes that are no encoding are refused`() {
        #expect(decode(UInt64.self, [1, 2, 3]) == nil)
        #expect(decode(UInt32.self, [1, 2, 3, 4, 5]) == nil)
        #expect(decode(String.self, [0xFF]) == nil)
        #expect(decode(DelimitedBytes.self, []) == nil)
        #expect(decode(DelimitedBytes.self, [7, 8]) == nil)
        #expect(decode(DelimitedBytes.self, [7, 0]) == nil)
        #expect(decode(DelimitedBytes.self, [7, 0, 2]) == nil)
        #expect(decode(CompositeKey<UInt32, UInt32>.self, [0, 0, 0, 1, 0]) == nil)
    }

    @Test func `numbers sort as numbers`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            let keys: [UInt64] = [0, 1, 255, 256, 65_535, 1 << 32, .max - 1, .max]
            try environment.write { txn in
                for key in keys.shuffled() { try table.put(key, [UInt8]().span.bytes, in: &txn) }
            }
            var found: [UInt64] = []
            try environment.read { txn in
                try table.forEach(in: txn) { key, _ in
                    found.append(key)
                    return .continue
                }
            }
            #expect(found == keys)
        }
    }

    @Test(arguments: 1...20)
    func `composite keys sort by their first part, then by the second`(seed: UInt64) throws {
        typealias Key = CompositeKey<DelimitedBytes, [UInt8]>
        var random = SeededGenerator(seed: seed)
        // Few different bytes, among them those with a meaning, make many common beginnings.
        let alphabet: [UInt8] = [0, 1, 2, 254, 255]
        func bytes() -> [UInt8] {
            (0..<Int.random(in: 0...4, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
        }
        let keys = Set((0..<100).map { _ in Key(DelimitedBytes(bytes()), bytes()) })
        let sorted = keys.sorted { a, b in
            if a.first != b.first { return a.first.bytes.lexicographicallyPrecedes(b.first.bytes) }
            return a.second.lexicographicallyPrecedes(b.second)
        }
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: Key.self)
            try environment.write { txn in for key in keys { try table.put(key, [UInt8]().span.bytes, in: &txn) } }
            var found: [Key] = []
            try environment.read { txn in
                try table.forEach(in: txn) { key, _ in
                    found.append(key)
                    return .continue
                }
            }
            #expect(found == sorted)
        }
    }
}
