import Foundation
import LMDB
import Testing

struct OpeningTests {
    @Test func `the files are for their owner only, whatever the umask`() throws {
        try withDirectory { path in
            let directory = path + "/new"
            let old = umask(0)
            defer { umask(old) }
            let environment = try Environment(at: directory)
            #expect(environment.path == directory)
            for (file, mode) in [("", 0o700), ("/data.mdb", 0o600), ("/lock.mdb", 0o600)] as [(String, mode_t)] {
                var attributes = stat()
                #expect(stat(directory + file, &attributes) == 0)
                #expect(attributes.st_mode & 0o777 == mode)
            }
        }
    }

    @Test func `a directory can be opened once at a time, by whatever name`() throws {
        try withDirectory { path in
            let other = path + "-link"
            #expect(symlink(path, other) == 0)
            defer { unlink(other) }
            do {
                let environment = try Environment(at: path)
                for name in [path, path + "/.", other] {
                    #expect(throws: LMDBError(.alreadyOpen, during: "test")) { _ = try Environment(at: name) }
                }
                // The refusals did not disturb it.
                let table = try environment.openRawTable("t")
                try environment.write { txn in try table.put([1], [1], in: &txn) }
            }
            _ = try Environment(at: other)
        }
    }

    @Test func `a directory made after an open one was removed is another directory`() throws {
        try withDirectory { path in
            let first = path + "/first"
            mkdir(first, 0o700)
            let environment = try Environment(at: first)
            for file in ["data.mdb", "lock.mdb"] { unlink(first + "/" + file) }
            #expect(rmdir(first) == 0)
            // The file system gives the number of the removed directory to one of these, if to any.
            for number in 0..<20 {
                mkdir(path + "/\(number)", 0o700)
                _ = try Environment(at: path + "/\(number)")
            }
            _ = try environment.openRawTable("t")
        }
    }

    @Test func `a missing parent directory is an error of the system`() throws {
        try withDirectory { path in
            #expect(throws: LMDBError(.system(ENOENT), during: "test")) { _ = try Environment(at: path + "/a/b") }
        }
    }

    /// An environment with some pages of every kind, closed.
    private func makeFile(in path: String) throws -> String {
        let environment = try Environment(at: path, mapSize: 16 << 20)
        let table = try environment.openTable("t", key: UInt64.self)
        try environment.write { txn in
            for key in UInt64(0)..<5_000 {
                try table.append(key, [UInt8](repeating: 1, count: 200).span.bytes, in: &txn)
            }
        }
        return path + "/data.mdb"
    }

    private func overwrite(_ file: String, at offset: Int, with bytes: [UInt8]) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    @Test func `an undamaged file passes the check at opening`() throws {
        try withDirectory { path in
            _ = try makeFile(in: path)
            let environment = try Environment(at: path, mapSize: 16 << 20)
            let table = try environment.openTable("t", key: UInt64.self)
            try #expect(environment.read { txn in try table.count(in: txn) } == 5_000)
        }
    }

    @Test(arguments: [1, 100, 4_095, 5_000, 8_191]) func `a file of garbage is not a database`(byteCount: Int) throws {
        try withDirectory { path in
            #expect(
                FileManager.default.createFile(
                    atPath: path + "/data.mdb", contents: Data(repeating: 0x47, count: byteCount)))
            #expect(throws: LMDBError(.notADatabase, during: "test")) { _ = try Environment(at: path) }
        }
    }

    @Test(arguments: [0, 4_096]) func `a damaged meta page is reported`(offset: Int) throws {
        try withDirectory { path in
            let file = try makeFile(in: path)
            try overwrite(file, at: offset + 16, with: [0, 0, 0, 0])
            #expect(throws: LMDBError(.notADatabase, during: "test")) { _ = try Environment(at: path) }
        }
    }

    @Test func `another format version is reported`() throws {
        try withDirectory { path in
            let file = try makeFile(in: path)
            for page in [0, 4_096] { try overwrite(file, at: page + 20, with: [99, 0, 0, 0]) }
            #expect(throws: LMDBError(.versionMismatch, during: "test")) { _ = try Environment(at: path) }
        }
    }

    @Test(arguments: [3, 10, 100, 250]) func `a file that was cut short is refused at opening`(pages: Int) throws {
        try withDirectory { path in
            let file = try makeFile(in: path)
            #expect(truncate(file, pages * 4_096) == 0)
            #expect(throws: LMDBError(.corrupted, during: "test")) { _ = try Environment(at: path, mapSize: 16 << 20) }
        }
    }

    @Test func `a damaged branch page is refused at opening`() throws {
        try withDirectory { path in
            let file = try makeFile(in: path)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            // Flags at byte 10 of a page; the newest branch page stands last.
            let branch = try #require(
                Array(stride(from: 8_192, to: bytes.count, by: 4_096)).last { bytes[$0 + 10] == 1 })
            for (offset, change) in [(0, [0xFF, 0xFF]), (10, [2, 0]), (12, [0xFF, 0xFF]), (16, [0xFF, 0xFF])]
                as [(Int, [UInt8])]
            {
                let original = [UInt8](bytes[(branch + offset)..<(branch + offset + 2)])
                try overwrite(file, at: branch + offset, with: change)
                #expect(throws: LMDBError(.corrupted, during: "test")) {
                    _ = try Environment(at: path, mapSize: 16 << 20)
                }
                try overwrite(file, at: branch + offset, with: original)
            }
            _ = try Environment(at: path, mapSize: 16 << 20)
        }
    }

    @Test func `never-written pages at the end of the file are no damage`() throws {
        try withDirectory { path in
            do {
                let environment = try Environment(at: path, mapSize: 16 << 20)
                let table = try environment.openTable("t", key: UInt64.self)
                // Free pages of old transactions let the last one keep its free list away from the end of the file.
                for _ in 0..<5 {
                    try environment.write { txn in
                        for key in UInt64(0)..<20 {
                            try table.put(key, [UInt8](repeating: 1, count: 1_000).span.bytes, in: &txn)
                        }
                    }
                }
                // Taken from the end of the file and given up before they were ever written.
                try environment.write { txn in
                    for key in UInt64(20)..<500 {
                        try table.append(key, [UInt8](repeating: 1, count: 1_000).span.bytes, in: &txn)
                    }
                    for key in (UInt64(1)..<500).reversed() { try table.delete(key, in: &txn) }
                }
                var attributes = stat()
                #expect(stat(path + "/data.mdb", &attributes) == 0)
                // Otherwise the case is not met.
                #expect(Int(attributes.st_size) < (try environment.statistics().usedBytes))
            }
            let environment = try Environment(at: path, mapSize: 16 << 20)
            let table = try environment.openTable("t", key: UInt64.self)
            try #expect(environment.read { txn in try table.get(0, in: txn)?.byteCount } == 1_000)
        }
    }

    @Test func `every error says what to do`() {
        let codes: [LMDBError.Code] = [
            .mapFull, .mapResized, .readersFull, .diskFull, .transactionFull, .tablesFull, .badValueSize,
            .keyNotInOrder,
            .badTransaction, .badTable, .badReaderSlot, .corrupted, .notADatabase, .versionMismatch, .incompatibleTable,
            .pagesLeaked, .panicked, .alreadyOpen, .system(ENOMEM), .system(EACCES),
        ]
        let texts = codes.map { LMDBError($0, during: "test").description }
        #expect(Set(texts).count == codes.count)
        #expect(
            LMDBError(.diskFull, during: "commit").description == """
                LMDB commit: no space is left on the file system; \
                free some space; reads go on, and writes work again as soon as there is room
                """)
        #expect(texts.last?.contains("Permission denied") == true)
    }
}
