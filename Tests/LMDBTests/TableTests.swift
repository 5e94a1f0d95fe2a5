import LMDB
import Testing

struct TableTests {
    @Test func `what was put is read in the same and in later transactions`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in
                try table.put([1], [10, 11], in: &txn)
                try #expect(table.get([1], in: txn) == [10, 11])
                try table.put([1], [12], in: &txn)
                try #expect(table.get([1], in: txn) == [12])
            }
            try environment.read { txn in
                try #expect(table.get([1], in: txn) == [12])
                try #expect(table.get([2], in: txn) == nil)
                try #expect(table.contains([UInt8](arrayLiteral: 1).span.bytes, in: txn))
                try #expect(!table.contains([UInt8](arrayLiteral: 2).span.bytes, in: txn))
            }
        }
    }

    @Test func `content survives closing and opening`() throws {
        try withDirectory { path in
            do {
                let environment = try Environment(at: path)
                let table = try environment.openRawTable("t")
                try environment.write { txn in try table.put([1], [2], in: &txn) }
            }
            let environment = try Environment(at: path)
            let table = try environment.openRawTable("t")
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [2])
        }
    }

    @Test func `an empty value is a value`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in try table.put([1], [], in: &txn) }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [])
        }
    }

    @Test(arguments: [1, 2_000, 4_096, 65_536, 1 << 20])
    func `values of every size come back whole`(byteCount: Int) throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            var random = SeededGenerator(seed: UInt64(byteCount))
            let value = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
            try environment.write { txn in try table.put([1], value, in: &txn) }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == value)
        }
    }

    @Test func `insert keeps the value that is there`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            try environment.write { txn in
                let (a, b): ([UInt8], [UInt8]) = ([1], [2])
                try #expect(table.insert(5, a.span.bytes, in: &txn))
                try #expect(!table.insert(5, b.span.bytes, in: &txn))
                try #expect(table.get(5, in: txn)?.array == a)
            }
            try #expect(environment.read { txn in try table.count(in: txn) } == 1)
        }
    }

    @Test func `append takes ascending keys only and the transaction goes on after a refusal`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            let value: [UInt8] = [1]
            try environment.write { txn in
                try table.append(1, value.span.bytes, in: &txn)
                // A little-endian key would not ascend here.
                try table.append(256, value.span.bytes, in: &txn)
                for key: UInt64 in [255, 256] {
                    #expect(throws: LMDBError(.keyNotInOrder, during: "append")) {
                        try table.append(key, value.span.bytes, in: &txn)
                    }
                }
                try table.append(257, value.span.bytes, in: &txn)
            }
            try environment.read { txn in
                try #expect(table.count(in: txn) == 3)
                try #expect(table.firstKey(in: txn) == 1)
                try #expect(table.lastKey(in: txn) == 257)
            }
        }
    }

    @Test func `delete tells whether the key was there`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: String.self)
            try environment.write { txn in
                try table.put("a", "x".utf8.span.bytes, in: &txn)
                try #expect(table.delete("a", in: &txn))
                try #expect(!table.delete("a", in: &txn))
                try #expect(table.isEmpty(in: txn))
            }
        }
    }

    @Test func `deleteAll removes one prefix or everything`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            let keys: [[UInt8]] = [[1], [1, 0], [1, 255], [1, 255, 255], [2], [255], [255, 255]]
            try environment.write { txn in
                for key in keys { try table.put(key, key, in: &txn) }
                let prefix: [UInt8] = [1, 255]
                try #expect(table.deleteAll(prefix: prefix.span.bytes, in: &txn) == 2)
                try #expect(table.entries(in: txn).map(\.key) == [[1], [1, 0], [2], [255], [255, 255]])
                try table.deleteAll(in: &txn)
                try #expect(table.isEmpty(in: txn))
                try table.put([3], [3], in: &txn)
            }
            try #expect(environment.read { txn in try table.entries(in: txn) } == [Pair([3], [3])])
        }
    }

    @Test func `first and last are nil in an empty table`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            try environment.read { txn in
                try #expect(table.firstKey(in: txn) == nil)
                try #expect(table.lastKey(in: txn) == nil)
                try #expect(table.raw.entries(in: txn).isEmpty)
                try #expect(table.raw.entries(order: .backward, in: txn).isEmpty)
            }
        }
    }

    @Test func `tables do not see each other's keys`() throws {
        try withEnvironment { environment in
            let (a, b) = (try environment.openRawTable("a"), try environment.openRawTable("b"))
            try environment.write { txn in try a.put([1], [1], in: &txn) }
            try #expect(environment.read { txn in try b.get([1], in: txn) } == nil)
        }
    }

    @Test(arguments: [0, 512, 600])
    func `a key of a length that LMDB cannot hold is refused everywhere`(byteCount: Int) throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: [UInt8].self)
            let key = [UInt8](repeating: 7, count: byteCount)
            let refusal = LMDBError(.badValueSize, during: "test")
            try environment.write { txn in
                #expect(throws: refusal) { try table.put(key, key.span.bytes, in: &txn) }
                #expect(throws: refusal) { _ = try table.insert(key, key.span.bytes, in: &txn) }
                #expect(throws: refusal) { try table.append(key, key.span.bytes, in: &txn) }
                #expect(throws: refusal) { try table.delete(key, in: &txn) }
                #expect(throws: refusal) { _ = try table.get(key, in: txn)?.byteCount }
                #expect(throws: refusal) { _ = try table.raw.get(key, in: txn) }
                // The transaction goes on.
                try table.put([1], key.span.bytes, in: &txn)
            }
            try #expect(environment.read { txn in try table.count(in: txn) } == 1)
        }
    }

    @Test func `the longest key is stored`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: [UInt8].self)
            let key = [UInt8](repeating: 7, count: KeyEncoder.byteCountMax)
            try environment.write { txn in try table.put(key, [UInt8(1)].span.bytes, in: &txn) }
            try #expect(environment.read { txn in try table.firstKey(in: txn) } == key)
        }
    }

    @Test func `one table more than the environment was opened for is refused`() throws {
        try withEnvironment({ $0.maxTables = 2 }) { environment in
            _ = try environment.openRawTable("a")
            _ = try environment.openRawTable("b")
            _ = try environment.openRawTable("a")
            #expect(throws: LMDBError(.tablesFull, during: "test")) { _ = try environment.openRawTable("c") }
        }
    }

    @Test func `a key that does not decode is reported as damage`() throws {
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            for key in [[UInt8](repeating: 1, count: 7), [UInt8](repeating: 1, count: 9)] {
                try environment.write { txn in
                    try table.raw.deleteAll(in: &txn)
                    try table.raw.put(key, [], in: &txn)
                }
                try environment.read { txn in
                    #expect(throws: LMDBError(.corrupted, during: "test")) { try table.firstKey(in: txn) }
                    #expect(throws: LMDBError(.corrupted, during: "test")) {
                        try table.forEach(in: txn) { _, _ in .continue }
                    }
                }
            }
        }
    }
}
