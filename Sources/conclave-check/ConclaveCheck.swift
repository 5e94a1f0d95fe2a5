import ArgumentParser
import Foundation

/// Says whether what clients saw of a cluster is what one correct secrets manager could have shown them.
@main
struct ConclaveCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-check",
        abstract: "Checks histories of clients for linearizability.",
        discussion: """
            A history has one JSON object per line; all files together are one history. Exit status: 0 every key is linearizable, \
            1 a violation, 2 a history that cannot be read, 3 no violation was found, and the search of some key was given up.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "History files.")
    var files: [String]

    @Option(help: "Steps of the search for each key, after which it is given up.")
    var stepsMax = 5_000_000

    @Option(help: "Output: text or json.")
    var format = Format.text

    mutating func validate() throws {
        guard !files.isEmpty else { throw ValidationError("Name at least one history file.") }
        guard stepsMax >= 1 else { throw ValidationError("--steps-max is at least 1.") }
    }

    func run() throws {
        let report: CheckReport
        do {
            var lines: [HistoryLine] = []
            for file in files { lines += try HistoryFile.read(file) }
            report = try CheckReport(lines, stepCountMax: stepsMax)
        } catch {
            FileHandle.standardError.write(Data("conclave-check: \(error)\n".utf8))
            throw ExitCode(2)
        }
        print(format == .json ? try report.json() : report.text)
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }
}
