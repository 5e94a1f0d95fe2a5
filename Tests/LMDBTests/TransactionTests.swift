import Foundation
@testable import LMDB
import Testing

struct TransactionTests {
    struct Halt: Error, Equatable {}

    @Test func `a body that throws leaves nothing behind`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            #expect(throws: Halt.self) {
                try environment.write { txn in
                    try table.put([1], [1], in: &txn)
                    throw Halt()
                }
            }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == nil)
            // The writer's place is free again.
            try environment.write { txn in try table.put([1], [2], in: &txn) }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [2])
        }
    }

    @Test func `the manual form commits, aborts, and aborts when it is dropped`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            do {
                var txn = try environment.beginWrite()
                try table.put([1], [1], in: &txn)
                try txn.commit()
            }
            do {
                var txn = try environment.beginWrite()
                try table.put([2], [1], in: &txn)
                txn.abort()
            }
            do {
                var txn = try environment.beginWrite()
                try table.put([3], [1], in: &txn)
            }
            try #expect(environment.read { txn in try table.entries(in: txn).map(\.key) } == [[1]])
        }
    }

    @Test func `an open write transaction keeps its environment`() throws {
        try withDirectory { path in
            var environment: Environment? = try Environment(at: path)
            let table = try environment!.openRawTable("t")
            var txn = try environment!.beginWrite()
            environment = nil
            try table.put([1], [1], in: &txn)
            try txn.commit()
            let again = try Environment(at: path)
            let sameTable = try again.openRawTable("t")
            try #expect(again.read { txn in try sameTable.get([1], in: txn) } == [1])
        }
    }

    @Test func `commits without a flush of the meta page are there after synchronize and opening`() throws {
        try withDirectory { path in
            var configuration = Environment.Configuration(path: path)
            configuration.mapSizeBytes = 1 << 20
            configuration.durability = .noMetaSync
            do {
                let environment = try Environment(configuration)
                let table = try environment.openRawTable("t")
                try environment.write { txn in try table.put([1], [1], in: &txn) }
                try environment.synchronize()
            }
            let environment = try Environment(configuration)
            let table = try environment.openRawTable("t")
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [1])
        }
    }

    @Test func `after a commit that the disk failed there are no more writes, but reads`() throws {
        try withDirectory { path in
            do {
                let environment = try Environment(at: path)
                let table = try environment.openRawTable("t")
                try environment.write { txn in try table.put([1], [1], in: &txn) }
                // A descriptor that refuses to be written to stands for a disk that does.
                let readOnly = open(path + "/data.mdb", O_RDONLY)
                defer { close(readOnly) }
                #expect(dup2(readOnly, environment.dataFile) == environment.dataFile)
                #expect(throws: LMDBError(.system(EBADF), during: "test")) {
                    try environment.write { txn in try table.put([1], [2], in: &txn) }
                }
                for _ in 0..<2 {
                    #expect(throws: LMDBError(.panicked, during: "test")) { try environment.write { _ in } }
                }
                try #expect(environment.read { txn in try table.get([1], in: txn) } == [1])
            }
            let environment = try Environment(at: path)
            let table = try environment.openRawTable("t")
            try environment.write { txn in
                try #expect(table.get([1], in: txn) == [1])
                try table.put([1], [3], in: &txn)
            }
        }
    }

    @Test func `a read does not see what is committed after it began`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in try table.put([1], [1], in: &txn) }
            try environment.read { txn in
                try Worker { try environment.write { txn in try table.put([1], [2], in: &txn) } }.value()
                try #expect(table.get([1], in: txn) == [1])
                // A later snapshot inside an earlier one.
                try environment.read { inner in try #expect(table.get([1], in: inner) == [2]) }
                try #expect(table.get([1], in: txn) == [1])
            }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [2])
        }
    }

    @Test func `reads go on during a write and do not see it`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in
                try table.put([1], [1], in: &txn)
                // On this thread and on another one.
                try #expect(environment.read { read in try table.get([1], in: read) } == nil)
                try #expect(Worker { try environment.read { read in try table.get([1], in: read) } }.value() == nil)
            }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [1])
        }
    }

    @Test func `a span stays valid while others write and pages are used again`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            let value = [UInt8](repeating: 0xAB, count: 3_000)
            try environment.write { txn in try table.put([1], value, in: &txn) }
            try environment.read { txn in
                let key: [UInt8] = [1]
                guard let span = try table.get(key.span.bytes, in: txn) else { throw Halt() }
                try Worker {
                    for round in UInt8(0)..<50 {
                        try environment.write { txn in
                            try table.put([1], [UInt8](repeating: round, count: 3_000), in: &txn)
                        }
                    }
                }.value()
                #expect(span.array == value)
            }
        }
    }

    @Test func `a table that was opened after the transaction began is refused with a clear error`() throws {
        try withEnvironment { environment in
            try environment.read { txn in
                let table = try Worker { try environment.openRawTable("later") }.value()
                #expect(throws: LMDBError(.badTable, during: "test")) { try table.get([1], in: txn) }
                #expect(throws: LMDBError(.badTable, during: "test")) { try table.count(in: txn) }
                #expect(throws: LMDBError(.badTable, during: "test")) { try table.entries(in: txn) }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `writers on many threads take turns`() throws {
        try withEnvironment({ $0.durability = .noMetaSync }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            let (threads, rounds) = (4, 50)
            let workers = (0..<threads).map { _ in
                Worker {
                    for _ in 0..<rounds {
                        try environment.write { txn in
                            let count =
                                try table.get(0, in: txn)?.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } ?? 0
                            try table.put(0, [count + 1].span.bytes, in: &txn)
                        }
                    }
                }
            }
            for worker in workers { try worker.value() }
            let count = try environment.read { txn in
                try table.get(0, in: txn)?.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            }
            #expect(count == UInt64(threads * rounds))
        }
    }

    @Test(.timeLimit(.minutes(1))) func `every read of a running system sees one whole commit`() throws {
        try withEnvironment({ $0.durability = .noMetaSync }) { environment in
            let table = try environment.openRawTable("t")
            let isStopped = StopSwitch()
            try environment.write { txn in for key in UInt8(0)..<20 { try table.put([key], [0], in: &txn) } }
            let readers = (0..<3).map { _ in
                Worker { () -> Int in
                    var torn = 0
                    while !isStopped.isOn {
                        let values = try environment.read { txn in try table.entries(in: txn).map(\.value) }
                        if Set(values).count != 1 || values.count != 20 { torn += 1 }
                    }
                    return torn
                }
            }
            for round in UInt8(1)..<100 {
                try environment.write { txn in for key in UInt8(0)..<20 { try table.put([key], [round], in: &txn) } }
            }
            isStopped.turnOn()
            for reader in readers { try #expect(reader.value() == 0) }
        }
    }
}

/// A Boolean between threads.
final class StopSwitch: @unchecked Sendable {
    // Sendable: guarded by the lock.
    private var value = false
    private let lock = NSLock()

    var isOn: Bool { lock.withLock { value } }
    func turnOn() { lock.withLock { value = true } }
}
