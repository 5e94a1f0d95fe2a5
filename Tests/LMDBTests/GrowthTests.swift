import Foundation
import LMDB
import Testing

struct GrowthTests {
    private let value = [UInt8](repeating: 0x5A, count: 4_000)

    @Test(.timeLimit(.minutes(1))) func `a write that fills the map runs again in a larger one`() throws {
        try withEnvironment(mapSize: 256 << 10) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            var runs = 0
            try environment.write { txn in
                runs += 1
                for key in UInt64(0)..<200 { try table.append(key, value.span.bytes, in: &txn) }
            }
            // 200 values of a page each need 800 KiB: 256 and 512 are too small.
            #expect(runs == 3)
            try #expect(environment.read { txn in try table.count(in: txn) } == 200)
            try #expect(environment.statistics().mapSizeBytes == 1 << 20)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the map grows also when the body hides the failure`() throws {
        struct Disguise: Error {}
        try withEnvironment(mapSize: 256 << 10) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            // Swallowed in the first table, thrown as something else in the second run.
            var runs = 0
            try environment.write { txn in
                runs += 1
                for key in UInt64(0)..<200 {
                    do { try table.append(key, value.span.bytes, in: &txn) } catch {
                        if runs == 2 { throw Disguise() }
                        break
                    }
                }
            }
            try #expect(environment.read { txn in try table.count(in: txn) } == 200)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the limit of the map is reported and nothing is changed`() throws {
        try withEnvironment(mapSize: 256 << 10, { $0.mapSizeBytesMax = 512 << 10 }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            try environment.write { txn in try table.put(1, value.span.bytes, in: &txn) }
            #expect(throws: LMDBError(.mapFull, during: "test")) {
                try environment.write { txn in
                    for key in UInt64(2)..<200 { try table.put(key, value.span.bytes, in: &txn) }
                }
            }
            #expect(throws: LMDBError(.mapFull, during: "test")) { try environment.growMap(toAtLeast: 1 << 20) }
            try #expect(environment.read { txn in try table.count(in: txn) } == 1)
            try environment.write { txn in try table.put(2, value.span.bytes, in: &txn) }
            try #expect(environment.statistics().mapSizeBytes == 512 << 10)
        }
    }

    @Test func `the manual form reports the full map at every later step and goes on after growMap`() throws {
        try withEnvironment(mapSize: 256 << 10) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            func fill() throws {
                var txn = try environment.beginWrite()
                // Swallowed: `commit` must still say what happened.
                do { for key in UInt64(0)..<200 { try table.append(key, value.span.bytes, in: &txn) } } catch {}
                try txn.commit()
            }
            #expect(throws: LMDBError(.mapFull, during: "test")) { try fill() }
            try environment.growMap(toAtLeast: 4 << 20)
            try fill()
            try #expect(environment.read { txn in try table.count(in: txn) } == 200)
        }
    }

    @Test func `a size that no process has is refused and the environment goes on`() throws {
        try withEnvironment({ $0.mapSizeBytesMax = .max }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            #expect(throws: LMDBError(.system(ENOMEM), during: "test")) { try environment.growMap(toAtLeast: 1 << 50) }
            try environment.write { txn in try table.put(1, value.span.bytes, in: &txn) }
            try #expect(environment.read { txn in try table.get(1, in: txn)?.array } == value)
        }
    }

    @Test func `a file that has grown keeps its size when it is opened with a smaller one`() throws {
        try withDirectory { path in
            do {
                let environment = try Environment(at: path, mapSize: 256 << 10)
                let table = try environment.openTable("t", key: UInt64.self)
                try environment.growMap(toAtLeast: 8 << 20)
                try environment.write { txn in try table.put(1, value.span.bytes, in: &txn) }
            }
            try #expect(Environment(at: path, mapSize: 256 << 10).statistics().mapSizeBytes == 8 << 20)
            try #expect(Environment(at: path, mapSize: 16 << 20).statistics().mapSizeBytes == 16 << 20)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the map grows while readers are busy, nested ones too`() throws {
        try withEnvironment(mapSize: 256 << 10, { $0.durability = .noMetaSync }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            let expected = value
            try environment.write { txn in try table.put(0, expected.span.bytes, in: &txn) }
            let stop = StopSwitch()
            let readers = (0..<4).map { _ in
                Worker { () -> Int in
                    var wrong = 0
                    while !stop.isOn {
                        try environment.read { outer in
                            let isRight = try environment.read { inner in
                                try table.get(0, in: inner)?.array == expected
                                    && table.get(0, in: outer)?.array == expected
                            }
                            if !isRight { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            // From 256 KiB to 8 MiB: five growths.
            for batch in UInt64(0)..<30 {
                try environment.write { txn in
                    for key in 1...50 { try table.put(batch * 50 + UInt64(key), expected.span.bytes, in: &txn) }
                }
            }
            stop.turnOn()
            for reader in readers { try #expect(reader.value() == 0) }
            try #expect(environment.read { txn in try table.count(in: txn) } == 1_501)
            try #expect(environment.statistics().mapSizeBytes == 8 << 20)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a growth waits for the reads that run, and later reads wait for it`() throws {
        try withEnvironment(mapSize: 1 << 20) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            try environment.write { txn in try table.put(1, value.span.bytes, in: &txn) }
            let hasGrown = StopSwitch()
            let (isReading, mayEnd) = (Flag(), Flag())
            let reader = Worker {
                try environment.read { txn in
                    isReading.raise()
                    mayEnd.wait()
                    // Still there, since the map cannot have moved.
                    return (try table.get(1, in: txn)?.array == [UInt8](repeating: 0x5A, count: 4_000), hasGrown.isOn)
                }
            }
            isReading.wait()
            let growth = Worker {
                try environment.growMap(toAtLeast: 8 << 20)
                hasGrown.turnOn()
            }
            // The growth is not known to wait yet; whether or not, this read must come through sooner or later.
            let late = Worker { try environment.read { txn in try table.get(1, in: txn)?.byteCount } }
            mayEnd.raise()
            let (isRight, hadGrown) = try reader.value()
            #expect(isRight && !hadGrown)
            try growth.value()
            try #expect(late.value() == 4_000)
            try #expect(environment.statistics().mapSizeBytes == 8 << 20)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a growth in another process is taken over by reads and by writes`()
        async throws
    {
        for isRead in [true, false] {
            try await withDirectory { path in
                let environment = try Environment(at: path, mapSize: 256 << 10)
                let table = try environment.openTable("t", key: UInt64.self)
                await #expect(processExitsWith: .success) { [path = path as String] in
                    let environment = try Environment(at: path, mapSize: 8 << 20)
                    let table = try environment.openTable("t", key: UInt64.self)
                    let value = [UInt8](repeating: 1, count: 4_000)
                    try environment.write { txn in
                        for key in UInt64(0)..<200 { try table.append(key, value.span.bytes, in: &txn) }
                    }
                }
                if isRead {
                    try #expect(environment.read { txn in try table.count(in: txn) } == 200)
                    try #expect(environment.read { txn in try table.get(199, in: txn)?.byteCount } == 4_000)
                } else {
                    try environment.write { txn in try table.append(200, value.span.bytes, in: &txn) }
                    try #expect(environment.read { txn in try table.count(in: txn) } == 201)
                }
                try #expect(environment.statistics().mapSizeBytes == 8 << 20)
            }
        }
    }
}
