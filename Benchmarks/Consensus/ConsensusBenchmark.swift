import ArgumentParser
import Foundation

/// The program: measures the log beside a bare loop on the same disk, the consensus core and the session table, and prints one table.
@main
struct ConsensusBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-bench", abstract: "Measures the log beside a bare loop on the same disk, the consensus core and the session table, and prints one Markdown table.")

    @Option(help: "Seconds for each row.")
    var seconds = 2.0

    @Option(parsing: .upToNextOption, help: "Bytes of an entry, for the log.")
    var entry = [256, 1_024, 16_384]

    @Option(parsing: .upToNextOption, help: "Writers, for the log.")
    var writers = [1, 16, 256]

    @Option(help: "A directory on the disk to measure; files are made there, and removed.")
    var directory: String

    func validate() throws {
        guard seconds > 0, seconds < 3_600 else { throw ValidationError("--seconds must be more than 0 and less than 3600.") }
        guard (entry + writers).allSatisfy({ $0 > 0 && $0 <= 1 << 20 }) else { throw ValidationError("--entry and --writers must be from 1 to 1048576.") }
    }

    func run() throws {
        let report = Report()
        report.printHead()
        let nanoseconds = UInt64(seconds * 1e9)
        for payloadByteCount in entry {
            for writers in writers {
                let path = directory + "/\(payloadByteCount)-\(writers)"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                defer { try? FileManager.default.removeItem(atPath: path) } // a folder that is left behind does no harm
                var run = try LogRun(writers: writers, payloadByteCount: payloadByteCount, directory: path)
                report.printRow(try run.run(nanoseconds: nanoseconds).cells(writers: writers, payloadByteCount: payloadByteCount))
            }
        }
        for window in [1, 16, 256] {
            var run = try CoreRun(window: window, payloadByteCount: 256)
            // The first round only warms up.
            _ = run.run(nanoseconds: nanoseconds / 8)
            report.printRow(run.run(nanoseconds: nanoseconds).cells(window: window, payloadByteCount: 256))
        }
        for (sessions, inFlight) in [(1, 1), (1, 256), (10_000, 1)] {
            var run = SessionRun(sessions: sessions, inFlight: inFlight)
            report.printRow(run.run(nanoseconds: nanoseconds).cells(sessions: sessions, inFlight: inFlight))
        }
    }
}

extension CoreRun.Outcome {
    func cells(window: Int, payloadByteCount: Int) -> [String] {
        let seconds = Double(nanoseconds) / 1e9
        let perEntry = allocations.map { Report.hundredths(Double($0) / Double(committed)) }
        return [
            "three cores in memory", Report.bytes(payloadByteCount), "\(window)", Report.whole(Double(committed) / seconds), "", "", "", "",
            Report.whole(Double(steps) / seconds), perEntry ?? "", "",
        ]
    }
}
