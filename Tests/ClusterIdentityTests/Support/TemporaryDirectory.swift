import Foundation
import Keyring

/// A directory that is removed with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("identity-" + Keyring.randomIdentifier())
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) } // a leftover in the temporary folder harms nobody

    /// The content of every file below, end to end.
    func content() throws -> Data {
        var all = Data()
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var isDirectory: ObjCBool = false
            let file = path + "/" + name
            guard FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), !isDirectory.boolValue else { continue }
            all += try Data(contentsOf: URL(fileURLWithPath: file))
        }
        return all
    }
}
