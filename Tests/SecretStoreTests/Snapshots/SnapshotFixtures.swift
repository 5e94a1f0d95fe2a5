import Foundation
import Keyring
import LMDB
import OpenSSL

@testable import SecretStore

/// A directory for images, removed with the test.
final class SnapshotDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("snapshots-" + Keyring.randomIdentifier()).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) } // a leftover in the temporary folder harms nobody

    var image: String { path + "/image" }
    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

    /// Writes a file and returns its path.
    func file(_ bytes: [UInt8]) throws -> String {
        let file = path + "/altered"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

func content(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// An image, cut into header and frames (prefix and ciphertext).
struct CutImage {
    var header: [UInt8]
    var frames: [[UInt8]]

    init(_ bytes: [UInt8]) {
        let prefix = SnapshotHeader.prefixByteCount
        let headerEnd = prefix + Int(bytes[prefix - 2]) << 8 + Int(bytes[prefix - 1])
        header = Array(bytes[..<headerEnd])
        frames = []
        var start = headerEnd
        while start < bytes.count {
            let end = start + 5 + bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            frames.append(Array(bytes[start..<end]))
            start = end
        }
    }

    var bytes: [UInt8] {
        var bytes = header
        // Not `joined()`, which goes byte by byte in a debug build.
        for frame in frames { bytes += frame }
        return bytes
    }
}

extension SecretStore {
    @discardableResult
    func writeSnapshot(to path: String, attachment: [UInt8]) throws -> SnapshotSummary {
        try writeSnapshot(to: path) { _ in attachment }
    }
}

extension StoreFixture {
    /// A state of every kind of row, larger than one frame.
    static func rich(keyring: Keyring, seed: UInt64 = 1, mutations count: Int = 300, largeValues: Int = 0) throws -> StoreFixture {
        let fixture = try StoreFixture(keyring: keyring)
        var generator = CommandGenerator(seed: seed, keyTerm: keyring.currentTerm)
        try fixture.apply((0..<count).map { _ in generator.mutation() })
        try fixture.apply(
            (0..<largeValues).map { number in
                var version = NewVersion.of("v1", "", in: "large\(number)")
                version.value.ciphertext = [UInt8](repeating: UInt8(number), count: 260_000)
                return Mutation(
                    id: ProposalID(high: .max, low: UInt64(number)), account: account, at: start, keyTerm: keyring.currentTerm,
                    command: .createSecret(CreateSecret(secret: .of("large\(number)"), version: version)))
            })
        return fixture
    }

    /// Passes a membership as the next entry behind `index`.
    func passMembership(_ bytes: [UInt8], at index: UInt64, term: UInt64) throws {
        try store.environment.write { txn in try store.passMembership(bytes, at: index, term: term, in: &txn) }
    }
}
