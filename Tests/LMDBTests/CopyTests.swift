import Foundation
import LMDB
import Testing

struct CopyTests {
    private func contents(of environment: Environment, _ name: String = "t") throws -> [Pair] {
        let table = try environment.openRawTable(name)
        return try environment.read { txn in try table.entries(in: txn) }
    }

    private func fill(_ environment: Environment, seed: UInt64) throws {
        let table = try environment.openTable("t", key: UInt64.self)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5 {
            try environment.write { txn in
                for _ in 0..<200 {
                    let key = UInt64.random(in: 0..<500, using: &random)
                    let value = [UInt8](
                        repeating: UInt8(truncatingIfNeeded: key), count: Int.random(in: 0...5_000, using: &random))
                    try table.put(key, value.span.bytes, in: &txn)
                    try table.delete(UInt64.random(in: 0..<500, using: &random), in: &txn)
                }
            }
        }
    }

    @Test(arguments: [false, true]) func `a copy opens and equals the original`(compacting: Bool) throws {
        try withEnvironment { environment in
            try fill(environment, seed: 1)
            let before = try contents(of: environment)
            let path = environment.path + "/copy"
            try environment.copy(to: path, compacting: compacting)
            // The copy stays as it was.
            try fill(environment, seed: 2)
            var attributes = stat()
            #expect(stat(path + "/data.mdb", &attributes) == 0 && attributes.st_mode & 0o777 == 0o600)
            let copy = try Environment(at: path)
            try #expect(contents(of: copy) == before)
            let isFreeOfFreePages = try copy.statistics().freeBytes == 0
            #expect(isFreeOfFreePages == compacting)
            try fill(copy, seed: 3)
        }
    }

    @Test func `the freed pages of deleted values are not in a compacted copy`() throws {
        try withEnvironment { environment in
            let table = try environment.openRawTable("t")
            let needle = Array("0f1e2d3c4b5a69788796a5b4c3d2e1f0".utf8)
            try environment.write { txn in try table.put([1], needle, in: &txn) }
            try environment.write { txn in try table.put([2], [2], in: &txn) }
            try environment.write { txn in try table.delete([UInt8(1)].span.bytes, in: &txn) }
            for compacting in [false, true] {
                let path = environment.path + "/copy-\(compacting)"
                try environment.copy(to: path, compacting: compacting)
                let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/data.mdb"))
                #expect((bytes.range(of: Data(needle)) == nil) == compacting)
            }
        }
    }

    @Test func `an empty environment can be copied`() throws {
        try withEnvironment { environment in
            for compacting in [false, true] {
                let path = environment.path + "/copy-\(compacting)"
                try environment.copy(to: path, compacting: compacting)
                try #expect(contents(of: Environment(at: path)).isEmpty)
            }
        }
    }

    @Test func `a directory that holds an environment is not overwritten`() throws {
        try withEnvironment { environment in
            try fill(environment, seed: 4)
            let before = try contents(of: environment)
            #expect(throws: LMDBError(.system(EEXIST), during: "test")) {
                try environment.copy(to: environment.path, compacting: false)
            }
            try #expect(contents(of: environment) == before)
        }
    }

    @Test func `a copy can go to a descriptor`() throws {
        try withEnvironment { environment in
            try fill(environment, seed: 5)
            let path = environment.path + "/copy"
            #expect(mkdir(path, 0o700) == 0)
            let descriptor = open(path + "/data.mdb", O_WRONLY | O_CREAT, 0o600)
            try environment.copy(toDescriptor: descriptor, compacting: true)
            close(descriptor)
            try #expect(contents(of: Environment(at: path)) == contents(of: environment))
            #expect(throws: LMDBError(.system(EBADF), during: "test")) {
                try environment.copy(toDescriptor: -1, compacting: false)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `a copy during writes holds one whole commit`(compacting: Bool) throws {
        try withEnvironment({ $0.durability = .noMetaSync }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            @Sendable func write(_ round: UInt8) throws {
                try environment.write { txn in
                    for key in UInt64(0)..<50 {
                        try table.put(key, [UInt8](repeating: round, count: 1_000).span.bytes, in: &txn)
                    }
                }
            }
            try write(0)
            let stop = StopSwitch()
            let writer = Worker {
                var round: UInt8 = 0
                while !stop.isOn {
                    round &+= 1
                    try write(round)
                }
            }
            for number in 0..<10 {
                let path = environment.path + "/copy-\(number)"
                try environment.copy(to: path, compacting: compacting)
                let values = try contents(of: Environment(at: path)).map(\.value)
                #expect(values.count == 50 && Set(values).count == 1)
            }
            stop.turnOn()
            try writer.value()
        }
    }

    @Test(.timeLimit(.minutes(1))) func `copies and growths of the map get along`() throws {
        try withEnvironment(mapSize: 256 << 10, { $0.durability = .noMetaSync }) { environment in
            let table = try environment.openTable("t", key: UInt64.self)
            let stop = StopSwitch()
            let copier = Worker {
                var number = 0
                while !stop.isOn {
                    let path = environment.path + "/copy-\(number)"
                    try environment.copy(to: path, compacting: number % 2 == 0)
                    number += 1
                }
            }
            for key in UInt64(0)..<500 {
                try environment.write { txn in
                    try table.append(key, [UInt8](repeating: 1, count: 5_000).span.bytes, in: &txn)
                }
            }
            stop.turnOn()
            try copier.value()
            try #expect(environment.statistics().mapSizeBytes > 2 << 20)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a growth that waits for a copy lets reads and the copy through`() throws {
        try withEnvironment(mapSize: 4 << 20) { environment in
            let table = try environment.openRawTable("t")
            try environment.write { txn in try table.put([1], [UInt8](repeating: 1, count: 1 << 20), in: &txn) }
            // More than a pipe holds: the copy cannot end before someone reads.
            let pipe = Pipe()
            let copier = Worker {
                try environment.copy(toDescriptor: pipe.fileHandleForWriting.fileDescriptor, compacting: false)
            }
            var start = try #require(try pipe.fileHandleForReading.read(upToCount: 1))
            let growth = Worker { try environment.growMap(toAtLeast: 8 << 20) }
            for _ in 0..<2_000 {
                try environment.read { txn in try #expect(table.get([1], in: txn)?.count == 1 << 20) }
                sched_yield()
            }
            try #expect(environment.statistics().mapSizeBytes == 4 << 20)
            let rest = Worker { try pipe.fileHandleForReading.readToEnd() ?? Data() }
            try copier.value()
            try pipe.fileHandleForWriting.close()
            try growth.value()
            try #expect(environment.statistics().mapSizeBytes == 8 << 20)
            try start.append(rest.value())
            #expect(start.count > 1 << 20)
        }
    }

    @Test func `a copy with all reader slots parked takes one of them`() throws {
        try withEnvironment(mapSize: 1 << 20, { $0.maxReaders = 2 }) { environment in
            let slots = try environment.statistics().readerSlots
            func nest(_ depth: Int) throws {
                guard depth > 0 else { return }
                try environment.read { _ in try nest(depth - 1) }
            }
            try nest(slots)
            try environment.copy(to: environment.path + "/copy", compacting: false)
        }
    }
}
