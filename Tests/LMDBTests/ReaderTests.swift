import Foundation
import LMDB
import Testing

struct ReaderTests {
    @Test func `more reads at a time than slots are refused with a clear error, and the slots come back`() throws {
        try withEnvironment({ $0.maxReaders = 4 }) { environment in
            let table = try environment.openRawTable("t")
            // LMDB rounds the table up to what fits in its file.
            let slots = try environment.statistics().readerSlots
            func nest(_ depth: Int) throws {
                guard depth > 0 else { return }
                try environment.read { _ in try nest(depth - 1) }
            }
            try nest(slots)
            #expect(throws: LMDBError(.readersFull, during: "test")) { try nest(slots + 1) }
            try nest(slots)
            try environment.write { txn in try table.put([1], [1], in: &txn) }
            try #expect(environment.read { txn in try table.get([1], in: txn) } == [1])
        }
    }

    @Test func `reads one after the other use one slot`() throws {
        try withEnvironment { environment in
            for _ in 0..<1_000 { try environment.read { _ in } }
            try #expect(environment.statistics().readerSlotsUsedMax == 1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `more readers than are parked come and go without a trace`() throws {
        try withEnvironment { environment in
            func nest(_ depth: Int) throws {
                guard depth > 0 else { return }
                try environment.read { _ in try nest(depth - 1) }
            }
            for _ in 0..<5 { try nest(200) }
            try #expect(environment.statistics().readerSlotsUsedMax <= 201)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the slot of a process that died inside a read is freed`() async throws {
        try await withDirectory { path in
            let environment = try Environment(at: path)
            #expect(environment.reapStaleReaders() == 0)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                try Environment(at: path).read { _ in _ = kill(getpid(), SIGKILL) }
            }
            #expect(environment.reapStaleReaders() == 1)
            #expect(environment.reapStaleReaders() == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a full reader table is cleared of the dead by itself`() async throws {
        try await withDirectory { path in
            var configuration = Environment.Configuration(path: path)
            configuration.mapSizeBytes = 1 << 20
            configuration.maxReaders = 2
            let environment = try Environment(configuration)
            let slots = try environment.statistics().readerSlots
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, depth = slots - 1 as Int] in
                let environment = try Environment(at: path, mapSize: 1 << 20)
                func nest(_ depth: Int) throws {
                    guard depth > 0 else {
                        kill(getpid(), SIGKILL)
                        return
                    }
                    try environment.read { _ in try nest(depth - 1) }
                }
                try nest(depth)
            }
            // One slot is ours already (parked by `statistics`), the dead have the rest; two nested reads need one of
            // those.
            try environment.read { _ in try environment.read { _ in } }
        }
    }
}
