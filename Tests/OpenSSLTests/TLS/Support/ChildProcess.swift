import Foundation

/// Another program, run to its end.
enum ChildProcess {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
        /// Both streams, for programs that are not strict about which they use.
        var text: String { output + errors }
    }

    /// How long a program may run before it is ended, in seconds: far above what any test needs, below the tests' own limit.
    static let secondsMax = 30.0

    /// Runs `arguments[0]` from the search path and waits for its end.
    ///
    /// - Parameter endsInput: `false` for a program that must end by itself, not because its input did.
    static func run(_ arguments: [String], input: String = "", endsInput: Bool = true, files: [String: String] = [:]) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(component: "conclave-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // a leftover in the temporary folder harms nothing
        for (name, content) in files { try content.write(to: folder.appending(component: name), atomically: true, encoding: .utf8) }
        let inputFile = folder.appending(component: "in")
        let (outputFile, errorFile) = (folder.appending(component: "out"), folder.appending(component: "err"))
        try input.write(to: inputFile, atomically: true, encoding: .utf8)
        for file in [outputFile, errorFile] { try Data().write(to: file) }

        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        if endsInput {
            process.standardInput = try FileHandle(forReadingFrom: inputFile)
        } else {
            process.standardInput = pipe
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))  // far below what a pipe holds
        }
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch {
                process.terminationHandler = nil
                return continuation.resume(throwing: error)
            }
            let identifier = process.processIdentifier
            DispatchQueue.global().asyncAfter(deadline: .now() + secondsMax) { [weak process] in
                if process?.isRunning == true { kill(identifier, SIGKILL) }
            }
        }
        return Result(
            status: status, output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
    }
}
