import Foundation
import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

@Suite("An image that was altered is refused, and the state stays as it was", .timeLimit(.minutes(2)))
struct SnapshotTamperingTests {
    let keyring = Keyring.forTesting()
    let directory: SnapshotDirectory

    init() throws { directory = try SnapshotDirectory() }

    /// An image of several frames, and a state that must not change.
    private func scene() throws -> (image: CutImage, target: StoreFixture) {
        let source = try StoreFixture.rich(keyring: keyring, mutations: 50, largeValues: 9)
        try source.store.writeSnapshot(to: directory.image, attachment: [1, 2, 3])
        return (CutImage(try content(of: directory.image)), try StoreFixture.rich(keyring: keyring, seed: 2, mutations: 40))
    }

    /// Verifies and installs altered bytes.
    private func refusal(_ bytes: [UInt8], _ target: StoreFixture) throws -> SnapshotError? {
        let file = try directory.file(bytes)
        let before = try target.dump()
        let verified = #expect(throws: SnapshotError.self) { try SnapshotFile.verify(file, keyring: keyring) }
        let installed = #expect(throws: SnapshotError.self) { try target.store.install(snapshot: file) }
        #expect(verified == installed)
        #expect(try target.dump() == before)
        return installed
    }

    @Test("at any byte of a small image")
    func flips() throws {
        let source = try StoreFixture(keyring: keyring)
        _ = try source.create("s", token: "t")
        try source.store.writeSnapshot(to: directory.image, attachment: [1, 2, 3])
        let target = try StoreFixture.rich(keyring: keyring, mutations: 20)
        let hash = try target.store.committedStateHash()
        let original = try content(of: directory.image)
        for place in original.indices {
            var bytes = original
            bytes[place] ^= UInt8(1 << (place % 8))
            let file = try directory.file(bytes)
            #expect(throws: SnapshotError.self, "byte \(place)") { try SnapshotFile.verify(file, keyring: keyring) }
            if place % 5 == 0 { #expect(throws: SnapshotError.self, "byte \(place)") { try target.store.install(snapshot: file) } }
        }
        #expect(try target.store.committedStateHash() == hash)
    }

    @Test("cut anywhere, or with something behind it")
    func cuts() throws {
        let source = try StoreFixture(keyring: keyring)
        _ = try source.create("s", token: "t")
        try source.store.writeSnapshot(to: directory.image, attachment: [])
        let original = try content(of: directory.image)
        let headerByteCount = CutImage(original).header.count
        for count in 0..<original.count {
            let error = #expect(throws: SnapshotError.self) {
                try SnapshotFile.verify(try directory.file(Array(original[..<count])), keyring: keyring)
            }
            #expect(error == (count < headerByteCount ? .notASnapshot : .truncated), "cut at \(count)")
        }
        for more in [[0], [0, 0, 0, 0, 1], Array(original[headerByteCount...])] as [[UInt8]] {
            #expect(throws: SnapshotError.trailingBytes) { try SnapshotFile.verify(try directory.file(original + more), keyring: keyring) }
        }
    }

    @Test("with its frames in another order, twice, left out, or without the last one")
    func frames() throws {
        let (image, target) = try scene()
        try #require(image.frames.count == 5)
        var swapped = image
        swapped.frames.swapAt(1, 2)
        #expect(try refusal(swapped.bytes, target) == .altered(frame: 1))
        var twice = image
        twice.frames.insert(image.frames[1], at: 2)
        #expect(try refusal(twice.bytes, target) == .altered(frame: 2))
        var dropped = image
        dropped.frames.remove(at: 2)
        #expect(try refusal(dropped.bytes, target) == .altered(frame: 2))
        var withoutEnd = image
        withoutEnd.frames.removeLast()
        #expect(try refusal(withoutEnd.bytes, target) == .truncated)
        // A row frame that claims to be the last, and a last one that claims not to be.
        var endsEarly = image
        endsEarly.frames[3][4] = 1
        #expect(try refusal(endsEarly.bytes, target) == .altered(frame: 3))
        var goesOn = image
        goesOn.frames[4][4] = 0
        #expect(try refusal(goesOn.bytes, target) == .altered(frame: 4))
        var cutInside = image
        cutInside.frames[2].removeLast(100)
        #expect(try refusal(cutInside.bytes, target) == .altered(frame: 2))
        // A length that no frame has is refused before anything is allocated for it.
        var endless = image
        endless.frames[1].replaceSubrange(0..<4, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(try refusal(endless.bytes, target) == .altered(frame: 1))
    }

    @Test("with a frame, a header or a trailer of another image of the same state")
    func splices() throws {
        let (image, target) = try scene()
        let source = try StoreFixture.rich(keyring: keyring, mutations: 50, largeValues: 9)
        try source.store.writeSnapshot(to: directory.image, attachment: [1, 2, 3])
        let other = CutImage(try content(of: directory.image))
        for number in image.frames.indices {
            var spliced = image
            spliced.frames[number] = other.frames[number]
            #expect(try refusal(spliced.bytes, target) == .altered(frame: UInt64(number)))
        }
        var header = image
        header.header = other.header
        #expect(try refusal(header.bytes, target) == .altered(frame: 0))
    }

    @Test("of another cluster, under other keys or an unknown one, of another region or partition: each in words")
    func foreign() throws {
        let (image, target) = try scene()
        let otherCluster = Keyring.forTesting(clusterID: "ffffffffffffffffffffffffffffffff")
        let foreign = #expect(throws: SnapshotError.self) { try SnapshotFile.verify(directory.image, keyring: otherCluster) }
        #expect(foreign == .foreign(what: "cluster", found: keyring.clusterID, expected: otherCluster.clusterID))
        #expect(
            foreign?.description
                == "the snapshot belongs to cluster '\(keyring.clusterID)', not '\(otherCluster.clusterID)'; restore it where it was taken")
        let elsewhere = try StoreFixture(keyring: otherCluster)
        let before = try elsewhere.dump()
        #expect(throws: try #require(foreign)) { try elsewhere.store.install(snapshot: directory.image) }
        #expect(try elsewhere.dump() == before)

        #expect(throws: SnapshotError.altered(frame: 0)) { try SnapshotFile.readHead(directory.image, keyring: .forTesting()) }
        for (scope, error) in [
            (ARNScope(region: "us-east-1"), SnapshotError.foreign(what: "region", found: "eu-north-1", expected: "us-east-1")),
            (ARNScope(partition: "aws-cn", region: "eu-north-1"), .foreign(what: "partition", found: "aws", expected: "aws-cn")),
        ] {
            let fixture = try StoreFixture(keyring: keyring, scope: scope)
            #expect(throws: error) { try fixture.store.install(snapshot: directory.image) }
        }

        var header = try SnapshotFile.readHead(directory.image, keyring: keyring).header
        header.keyTerm = 7
        var unknown = image
        unknown.header = header.encode()
        #expect(try refusal(unknown.bytes, target) == .unknownKey(reference: "domain/7"))
        header.keyTerm = 1
        header.position.appliedIndex += 1
        var moved = image
        moved.header = header.encode()
        #expect(try refusal(moved.bytes, target) == .altered(frame: 0))
        var later = image
        later.header[18] = 2
        #expect(try refusal(later.bytes, target) == .unknownFormat(2))
    }

    @Test("what is no file of ours is refused before it is read")
    func otherFiles() throws {
        #expect(throws: SnapshotError.notASnapshot) { try SnapshotFile.verify(directory.path, keyring: keyring) }
        #expect(throws: SnapshotError.file(FileFailure(operation: .open, path: directory.image, errno: ENOENT))) {
            try SnapshotFile.verify(directory.image, keyring: keyring)
        }
        #expect(throws: SnapshotError.notASnapshot) { try SnapshotFile.verify(try directory.file([]), keyring: keyring) }
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/link", withDestinationPath: try directory.file([]))
        #expect(throws: SnapshotError.file(FileFailure(operation: .open, path: directory.path + "/link", errno: ELOOP))) {
            try SnapshotFile.verify(directory.path + "/link", keyring: keyring)
        }
        #expect(mkfifo(directory.path + "/pipe", 0o600) == 0)
        #expect(throws: SnapshotError.notASnapshot) { try SnapshotFile.verify(directory.path + "/pipe", keyring: keyring) }
    }

    // MARK: Authentic, and wrong

    private typealias Row = (table: Int, key: [UInt8], value: [UInt8])

    /// Seals an image of any rows.
    private func image(of rows: [Row], index: UInt64 = 0) throws -> [UInt8] {
        var position = MachinePosition.initial.snapshotPosition
        position.appliedIndex = index
        let writer = try SnapshotWriter(
            path: directory.image, keyring: keyring, scope: StoreFixture.scope, position: position, attachment: []) { false }
        for row in rows { try writer.add(table: row.table, key: row.key.span.bytes, value: row.value.span.bytes) }
        _ = try writer.finish()
        return try content(of: directory.image)
    }

    private var identity: [Row] {
        SecretStore.identity(clusterID: keyring.clusterID, scope: StoreFixture.scope)
            .map { (StateTables.metaNumber, [UInt8]($0.what.utf8), [UInt8]($0.value.utf8)) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }
    }

    @Test("an image that contradicts itself is refused although it is authentic")
    func contradictions() throws {
        let target = try StoreFixture.rich(keyring: keyring, mutations: 20)
        #expect(throws: Never.self) { try SnapshotFile.verify(try directory.file(try image(of: identity)), keyring: keyring) }
        let rows: [Row] = [(1, [1], [1]), (1, [2], [2])]
        #expect(throws: Never.self) { try SnapshotFile.verify(try directory.file(try image(of: rows + identity)), keyring: keyring) }
        let unordered = SnapshotError.contradictory("rows of the table 'values' are out of order")
        #expect(try refusal(try image(of: rows.reversed() + identity), target) == unordered)
        #expect(try refusal(try image(of: [rows[0], rows[0]] + identity), target) == unordered)
        #expect(try refusal(try image(of: [(1, [1, 0], []), (1, [1], [])] + identity), target) == unordered)
        #expect(try refusal(try image(of: [(1, [], [1])] + identity), target) == unordered)
        #expect(try refusal(try image(of: identity + rows), target) == unordered)
        #expect(try refusal(try image(of: rows), target) == .contradictory("it does not say which cluster it is of"))
        #expect(
            try refusal(try image(of: identity, index: 5), target) == .contradictory("its header and its rows stand at different entries"))
        var later = identity
        let place = try #require(later.firstIndex { $0.key.elementsEqual("format".utf8) })
        later[place].value = [UInt8]("2".utf8)
        #expect(try refusal(try image(of: later), target) == .foreign(what: "format", found: "2", expected: "1"))
        var position = identity
        position.append((StateTables.metaNumber, MachinePosition.key, [99]))
        position.sort { $0.key.lexicographicallyPrecedes($1.key) }
        #expect(try refusal(try image(of: position), target) == .contradictory("it does not say where it stands in the log"))
    }

    /// Seals frames of any content.
    private func image(frames: [[UInt8]]) -> [UInt8] {
        let position = MachinePosition.initial.snapshotPosition
        var sealer = keyring.sealSnapshot { term, salt in
            SnapshotHeader(position: position, clusterID: keyring.clusterID, scope: StoreFixture.scope, keyTerm: term, salt: salt).encode()
        }
        var bytes = sealer.header
        for (number, frame) in frames.enumerated() {
            let isLast = number == frames.count - 1
            bytes += SnapshotFormat.framePrefix(sealedByteCount: frame.count + SnapshotOpener.overheadByteCount, isLast: isLast)
            sealer.seal(frame.span.bytes, isLast: isLast, appendingTo: &bytes)
        }
        return bytes
    }

    @Test("so is one whose frames are not what they should be")
    func wrongFrames() throws {
        let target = try StoreFixture.rich(keyring: keyring, mutations: 20)
        var rows: [UInt8] = []
        var trailer = SnapshotTrailer(stateHash: MachinePosition.initial.stateHash)
        for row in identity {
            SnapshotRow.append(table: row.table, key: row.key.span.bytes, value: row.value.span.bytes, to: &rows)
            trailer.count(table: row.table, key: row.key.span.bytes, value: row.value.span.bytes)
        }
        #expect(throws: Never.self) {
            try SnapshotFile.verify(try directory.file(image(frames: [[], rows, trailer.encode()])), keyring: keyring)
        }
        let other = SnapshotError.contradictory("its trailer speaks of other rows or of another state")
        var counts = trailer
        counts.rowCounts[3] += 1
        #expect(try refusal(image(frames: [[], rows, counts.encode()]), target) == other)
        var length = trailer
        length.rowByteCount -= 1
        #expect(try refusal(image(frames: [[], rows, length.encode()]), target) == other)
        var hash = trailer
        hash.stateHash = SHA256.hash("x".utf8.span.bytes)
        #expect(try refusal(image(frames: [[], rows, hash.encode()]), target) == other)
        #expect(try refusal(image(frames: [[], rows, trailer.encode() + [0]]), target) == other)
        #expect(try refusal(image(frames: [[], rows, []]), target) == other)
        #expect(try refusal(image(frames: [[]]), target) == .contradictory("it does not begin with an attachment"))
        let long = [UInt8](repeating: 0, count: Limits.snapshotAttachmentBytesMax + 1)
        #expect(try refusal(image(frames: [long, rows, trailer.encode()]), target) == .contradictory("it does not begin with an attachment"))
        let cut = SnapshotError.contradictory("a frame ends within a row")
        #expect(try refusal(image(frames: [[], rows.dropLast(), trailer.encode()]), target) == cut)
        #expect(try refusal(image(frames: [[], rows + [0, 0], trailer.encode()]), target) == cut)
        #expect(
            try refusal(image(frames: [[], [99, 0, 1, 0, 0, 0, 0, 7], trailer.encode()]), target)
                == .contradictory("it has a table that does not exist"))
    }
}
