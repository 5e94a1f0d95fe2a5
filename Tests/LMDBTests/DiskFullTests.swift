import Foundation
import LMDB
import Testing

/// Writes on a file system without room. Needs the right to mount a small one.
@Suite(.serialized, .enabled(if: SmallDisk.isAvailable, "needs root and the right to mount a tmpfs"))
struct DiskFullTests {
    @Test(.timeLimit(.minutes(1))) func `a full disk refuses writes, keeps reads, and recovers when there is room`()
        throws
    {
        try SmallDisk.with(byteCount: 2 << 20) { path in
            let environment = try Environment(at: path + "/env", mapSize: 64 << 20)
            let table = try environment.openTable("t", key: UInt64.self)
            try environment.write { txn in try table.put(0, [UInt8](repeating: 7, count: 1_000).span.bytes, in: &txn) }
            let ballast = path + "/ballast"
            #expect(FileManager.default.createFile(atPath: ballast, contents: Data(repeating: 0, count: 1 << 20)))

            let value = [UInt8](repeating: 1, count: 100_000)
            var stored = 0
            for _ in 0..<5 {
                #expect(throws: LMDBError(.diskFull, during: "test")) {
                    while true {
                        try environment.write { txn in try table.put(UInt64(stored) + 1, value.span.bytes, in: &txn) }
                        stored += 1
                    }
                }
            }
            try environment.read { txn in
                try #expect(table.get(0, in: txn)?.byteCount == 1_000)
                try #expect(table.count(in: txn) == stored + 1)
            }

            #expect(unlink(ballast) == 0)
            try environment.write { txn in try table.put(UInt64(stored) + 1, value.span.bytes, in: &txn) }
            try #expect(environment.read { txn in try table.count(in: txn) } == stored + 2)
        }
    }

    @Test func `a copy to a full disk leaves nothing there`() throws {
        try SmallDisk.with(byteCount: 256 << 10) { path in
            try withEnvironment { environment in
                let table = try environment.openTable("t", key: UInt64.self)
                try environment.write { txn in
                    try table.put(0, [UInt8](repeating: 7, count: 1 << 20).span.bytes, in: &txn)
                }
                for compacting in [false, true] {
                    #expect(throws: LMDBError(.diskFull, during: "test")) {
                        try environment.copy(to: path + "/copy", compacting: compacting)
                    }
                    #expect(!FileManager.default.fileExists(atPath: path + "/copy"))
                }
            }
        }
    }
}

/// A small file system in memory.
enum SmallDisk {
    /// Tried out once.
    static let isAvailable: Bool = (try? with(byteCount: 64 << 10) { _ in true }) ?? false

    struct MountRefused: Error { let code: Int32 }

    static func with<Result>(byteCount: Int, _ body: (String) throws -> Result) throws -> Result {
        try withDirectory { path in
            guard mount("tmpfs", path, "tmpfs", 0, "size=\(byteCount)") == 0 else { throw MountRefused(code: errno) }
            // Lazily, since an environment may be closed a moment later.
            defer { umount2(path, Int32(MNT_DETACH)) }
            return try body(path)
        }
    }
}
