import LMDB
import Testing

/// Walks over prefixes, with the boundaries at FF bytes that a successor computed in the wrong way misses.
struct RangeTests {
    static let keys: [[UInt8]] = [
        [0], [0, 0], [1], [1, 0], [1, 1], [1, 1, 0], [1, 2], [1, 255], [1, 255, 0], [1, 255, 255], [1, 255, 255, 255],
        [2], [2, 0], [254, 255], [255], [255, 0], [255, 255], [255, 255, 255],
    ]

    static let prefixes: [[UInt8]] = [
        [], [0], [0, 0], [1], [1, 1], [1, 255], [1, 255, 255], [1, 3], [2], [3], [254], [255], [255, 255],
        [255, 255, 255],
        [255, 255, 255, 255],
    ]

    private func withKeys(_ body: (RawTable, borrowing ReadTransaction) throws -> Void) throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in
                for key in Self.keys.shuffled() { try table.put(key, key.reversed(), in: &txn) }
            }
            try environment.read { txn in try body(table, txn) }
        }
    }

    /// What a walk must visit, computed without an order of LMDB's.
    static func expected(
        _ keys: [[UInt8]], prefix: [UInt8], from start: Start<[UInt8]>, order: Order
    ) -> [[UInt8]] {
        let sorted = keys.filter { $0.starts(with: prefix) }.sorted { $0.lexicographicallyPrecedes($1) }
        let inOrder = order == .forward ? sorted : sorted.reversed()
        func isBehind(_ key: [UInt8], _ other: [UInt8]) -> Bool {
            order == .forward ? other.lexicographicallyPrecedes(key) : key.lexicographicallyPrecedes(other)
        }
        return inOrder.filter { key in
            switch start {
            case .edge: true
            case .at(let first): key == first || isBehind(key, first)
            case .after(let first): isBehind(key, first)
            }
        }
    }

    @Test(arguments: prefixes)
    func `a walk visits exactly the keys with the prefix`(prefix: [UInt8]) throws {
        try withKeys { table, txn in
            for order in [Order.forward, .backward] {
                let found = try table.entries(prefix: prefix, order: order, in: txn)
                #expect(found.map(\.key) == Self.expected(Self.keys, prefix: prefix, from: .edge, order: order))
                #expect(found.allSatisfy { $0.value == $0.key.reversed() })
            }
        }
    }

    @Test(arguments: prefixes)
    func `a walk goes on at or after any key`(prefix: [UInt8]) throws {
        try withKeys { table, txn in
            for start in Self.keys + [[1, 0, 5], [1, 254], [3], [255, 254], [255, 255, 255, 255]] {
                for order in [Order.forward, .backward] {
                    for start in [Start.at(start), .after(start)] {
                        let found = try table.entries(prefix: prefix, from: start, order: order, in: txn)
                        #expect(found.map(\.key) == Self.expected(Self.keys, prefix: prefix, from: start, order: order))
                    }
                }
            }
        }
    }

    @Test func `a visitor that stops is not called again`() throws {
        try withKeys { table, txn in
            for order in [Order.forward, .backward] {
                var count = 0
                try table.forEach(order: order, in: txn) { _, _ in
                    count += 1
                    return count == 3 ? .stop : .continue
                }
                #expect(count == 3)
            }
        }
    }

    @Test func `what a visitor throws comes out`() throws {
        struct Halt: Error {}
        try withKeys { table, txn in
            #expect(throws: Halt.self) { try table.forEach(in: txn) { _, _ in throw Halt() } }
        }
    }

    @Test func `pages that go on after the last key cover the table in both directions`() throws {
        try withKeys { table, txn in
            for order in [Order.forward, .backward] {
                var found: [[UInt8]] = []
                var start = Start<[UInt8]>.edge
                // More pages than there are keys would be a loop.
                for _ in Self.keys {
                    var page: [[UInt8]] = []
                    try table.forEach(from: start, order: order, in: txn) { key, _ in
                        page.append(key.array)
                        return page.count == 4 ? .stop : .continue
                    }
                    guard let last = page.last else { break }
                    found += page
                    start = .after(last)
                }
                #expect(found == Self.expected(Self.keys, prefix: [], from: .edge, order: order))
            }
        }
    }

    @Test func `a typed prefix is the encoding of a first part`() throws {
        typealias Key = CompositeKey<UInt32, String>
        try withEnvironment { environment in
            let table = try environment.openTable("t", key: Key.self)
            try environment.write { txn in
                for (number, text) in [(1, "z"), (2, "a"), (2, "b"), (2, ""), (3, "a")] as [(UInt32, String)] {
                    try table.put(Key(number, text), text.utf8.span.bytes, in: &txn)
                }
            }
            func walk(_ start: Start<Key>, _ order: Order) throws -> [String] {
                var found: [String] = []
                try environment.read { txn in
                    try table.forEach(prefix: UInt32(2), from: start, order: order, in: txn) { key, _ in
                        found.append(key.second)
                        return .continue
                    }
                }
                return found
            }
            try #expect(walk(.edge, .forward) == ["", "a", "b"])
            try #expect(walk(.edge, .backward) == ["b", "a", ""])
            try #expect(walk(.after(Key(2, "a")), .forward) == ["b"])
            try #expect(walk(.at(Key(2, "a")), .backward) == ["a", ""])
        }
    }

    @Test func `a cursor moves both ways and its entries outlive it`() throws {
        try withKeys { table, txn in
            var cursor = try Cursor(table, in: txn)
            try #expect(cursor.next()?.key.array == [0])
            try #expect(cursor.next()?.key.array == [0, 0])
            try #expect(cursor.previous()?.key.array == [0])
            try #expect(cursor.last()?.key.array == [255, 255, 255])
            try #expect(cursor.next()?.key.array == nil)
            try #expect(cursor.first()?.key.array == [0])
            try #expect(cursor.previous()?.key.array == nil)
            let sought: [UInt8] = [1, 254]
            try #expect(cursor.seek(to: sought.span.bytes)?.key.array == [1, 255])
            try #expect(cursor.seekBackward(to: sought.span.bytes, inclusive: true)?.key.array == [1, 2])
            let entry = try table.first(in: txn)
            #expect(entry?.key.array == [0])
        }
    }
}
