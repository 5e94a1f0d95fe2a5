import Foundation
import Keyring
import LMDB
import OpenSSL
import Synchronization
import Testing

@testable import SecretStore

@Suite("Writing an image and installing one, beside readers and on small disks", .timeLimit(.minutes(1)))
struct SnapshotInstallTests {
    let keyring = Keyring.forTesting()
    let directory: SnapshotDirectory

    init() throws { directory = try SnapshotDirectory() }

    // MARK: The file

    @Test("only its owner may read the file, which replaces an older one; a remainder and a link in its way do no harm")
    func file() throws {
        let source = try StoreFixture.rich(keyring: keyring)
        let victim = try directory.file([1, 2, 3])
        try FileManager.default.createSymbolicLink(atPath: directory.image + ".partial", withDestinationPath: victim)
        #expect(FileManager.default.createFile(atPath: directory.image, contents: Data([1])))
        let summary = try source.store.writeSnapshot(to: directory.image, attachment: [])
        #expect(try content(of: victim) == [1, 2, 3])
        #expect(try directory.names == ["altered", "image"])
        var status = stat()
        #expect(stat(directory.image, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(try SnapshotFile.verify(directory.image, keyring: keyring) == summary)
    }

    @Test("a cancelled image leaves nothing, and an older one of its name stays", arguments: [0, 1, 3])
    func cancellation(frames: Int) throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 9)
        let older = try StoreFixture(keyring: keyring).store.writeSnapshot(to: directory.image, attachment: [])
        var count = 0
        #expect(throws: SnapshotError.cancelled) {
            try source.store.writeSnapshot(
                to: directory.image,
                isCancelled: {
                    count += 1
                    return count > frames
                }) { _ in [] }
        }
        #expect(count == frames + 1)
        #expect(try directory.names == ["image"])
        #expect(try SnapshotFile.verify(directory.image, keyring: keyring) == older)
    }

    @Test("an error of the caller's, and a directory that is not there, leave nothing")
    func failures() throws {
        struct Refused: Error {}
        let source = try StoreFixture.rich(keyring: keyring)
        #expect(throws: Refused.self) { try source.store.writeSnapshot(to: directory.image) { _ in throw Refused() } }
        #expect(try directory.names == [])
        let path = directory.path + "/none/image"
        #expect(throws: SnapshotError.file(FileFailure(operation: .create, path: path + ".partial", errno: ENOENT))) {
            try source.store.writeSnapshot(to: path, attachment: [])
        }
    }

    // MARK: Beside others

    @Test("writers go on while an image is written, which shows the state as it began")
    func writers() throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 9)
        let store = source.store
        let next = source.index + 1
        let before = try source.dump()
        try store.writeSnapshot(to: directory.image) { _ in
            WorkerThread { try? store.environment.write { txn in try store.passNoop(at: next, term: 0, in: &txn) } }.join()
            return []
        }
        #expect(try store.committedIndex() == next)
        let target = try StoreFixture(keyring: keyring)
        try target.store.install(snapshot: directory.image)
        #expect(try target.dump() == before)
    }

    @Test("a reader that began before an installation sees the old state to its end; the next one sees the new state")
    func readerDuringInstall() throws {
        let source = try StoreFixture.rich(keyring: keyring, seed: 3)
        try source.store.writeSnapshot(to: directory.image, attachment: [])
        let target = try StoreFixture.rich(keyring: keyring, seed: 4, mutations: 100)
        let store = target.store
        let image = directory.image
        try store.environment.read { txn in
            let before = try store.position(in: txn)
            let count = try store.tables.values.raw.count(in: txn)
            let isInstalled = Atomic(false)
            WorkerThread { isInstalled.store((try? store.install(snapshot: image)) != nil, ordering: .relaxed) }.join()
            let hasInstalled = isInstalled.load(ordering: .relaxed)
            #expect(hasInstalled)
            #expect(try store.position(in: txn) == before)
            #expect(try store.tables.values.raw.count(in: txn) == count)
        }
        #expect(try target.dump() == source.dump())
    }

    @Test("readers see one state or the other, never a mixture", arguments: 1...3 as ClosedRange<UInt64>)
    func concurrentReaders(seed: UInt64) throws {
        let first = try StoreFixture.rich(keyring: keyring, seed: seed)
        let second = try StoreFixture.rich(keyring: keyring, seed: seed + 10, mutations: 200)
        let images = [directory.path + "/1", directory.path + "/2"]
        try first.store.writeSnapshot(to: images[0], attachment: [])
        try second.store.writeSnapshot(to: images[1], attachment: [])
        let states = [try first.dump(), try second.dump()]
        let fixture = try StoreFixture(keyring: keyring)
        let target = fixture.store
        try target.install(snapshot: images[0])
        let isDone = Atomic(false)
        let mixtures = Atomic(0)
        let reads = Atomic(0)
        let readers = (0..<2).map { _ in
            WorkerThread {
                while !isDone.load(ordering: .relaxed) {
                    if let seen = try? target.dump(), states.contains(seen) { reads.add(1, ordering: .relaxed) } else { mixtures.add(1, ordering: .relaxed) }
                }
            }
        }
        for round in 1...12 { try target.install(snapshot: images[round % 2]) }
        while reads.load(ordering: .relaxed) == 0, mixtures.load(ordering: .relaxed) == 0 { sched_yield() }
        isDone.store(true, ordering: .relaxed)
        for reader in readers { reader.join() }
        let mixtureCount = mixtures.load(ordering: .relaxed)
        #expect(mixtureCount == 0)
    }

    // MARK: Space

    private func open(_ path: String, mapSize: Int, max: Int) throws -> SecretStore {
        var configuration = Environment.Configuration(path: path)
        configuration.mapSizeBytes = mapSize
        configuration.mapSizeBytesMax = max
        return try SecretStore(environment: try Environment(configuration), keyring: keyring, scope: StoreFixture.scope)
    }

    @Test("a small memory map is grown for an image; one that may not grow keeps the old state")
    func mapGrowth() throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 20)
        let summary = try source.store.writeSnapshot(to: directory.image, attachment: [])
        let growing = try open(directory.path + "/growing", mapSize: 1 << 20, max: 1 << 30)
        #expect(try growing.install(snapshot: directory.image) == summary)
        #expect(try growing.committedStateHash() == source.store.committedStateHash())
        #expect(try growing.environment.statistics().mapSizeBytes > 5 << 20)

        let fixed = try open(directory.path + "/fixed", mapSize: 1 << 20, max: 1 << 20)
        let mutation = Mutation(account: StoreFixture.account, at: StoreFixture.start, keyTerm: 1, command: .createAccount)
        try fixed.environment.write { txn in _ = try fixed.apply(mutation, at: 1, in: &txn) }
        let hash = try fixed.committedStateHash()
        #expect(throws: LMDBError(.mapFull, during: "test")) { try fixed.install(snapshot: directory.image) }
        #expect(try fixed.committedStateHash() == hash)
        #expect(try fixed.environment.read { txn in try fixed.tables.accounts.raw.count(in: txn) } == 1)
    }

    @Test("a full disk refuses an image and leaves nothing of it", .enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"))
    func diskFull() throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 20)
        try SmallDisk.with(byteCount: 2 << 20) { disk in
            let error = #expect(throws: SnapshotError.self) { try source.store.writeSnapshot(to: disk + "/image", attachment: []) }
            #expect(error?.isDiskFull == true)
            #expect(error?.description == "cannot write '\(disk)/image.partial': No space left on device")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == [])
            let small = try StoreFixture.rich(keyring: keyring).store.writeSnapshot(to: disk + "/image", attachment: [])
            #expect(try SnapshotFile.verify(disk + "/image", keyring: keyring) == small)
        }
    }

    @Test("a full disk under the state refuses an installation and keeps the old state", .enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"))
    func stateDiskFull() throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 20)
        try source.store.writeSnapshot(to: directory.image, attachment: [])
        try SmallDisk.with(byteCount: 2 << 20) { disk in
            let target = try open(disk + "/state", mapSize: 1 << 30, max: 1 << 30)
            let mutation = Mutation(account: StoreFixture.account, at: StoreFixture.start, keyTerm: 1, command: .createAccount)
            try target.environment.write { txn in _ = try target.apply(mutation, at: 1, in: &txn) }
            let hash = try target.committedStateHash()
            #expect(throws: LMDBError(.diskFull, during: "test")) { try target.install(snapshot: directory.image) }
            #expect(try target.committedStateHash() == hash)
            // And goes on.
            try target.environment.write { txn in try target.passNoop(at: 2, term: 0, in: &txn) }
            #expect(try target.committedIndex() == 2)
        }
    }
}

/// A small file system in memory.
private enum SmallDisk {
    /// Tried out once.
    static let isAvailable: Bool = (try? with(byteCount: 64 << 10) { _ in true }) ?? false

    struct MountRefused: Error { let code: Int32 }

    static func with<Result>(byteCount: Int, _ body: (String) throws -> Result) throws -> Result {
        let directory = try SnapshotDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(byteCount)") == 0 else { throw MountRefused(code: errno) }
        // Lazily, since an environment may be closed a moment later.
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        return try body(directory.path)
    }
}
