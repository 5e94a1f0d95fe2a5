import Foundation
import Testing

/// One scenario file: the story, its commands, and the trace that each should leave.
struct Transcript: Sendable, CustomTestStringConvertible {
    let name: String

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Transcripts")

    static var all: [Transcript] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted().map { Transcript(name: String($0.dropLast(4))) }
    }

    var testDescription: String { name }
    private var file: URL { Self.folder.appending(path: "\(name).txt") }

    private static let mode = ProcessInfo.processInfo.environment["RAFT_TRANSCRIPTS"]

    /// Whether traces of any transcript are written anew in this run.
    static var isRewriting: Bool { mode != nil }

    /// Whether the traces are to be written anew.
    private var isRewritten: Bool {
        guard let mode = Self.mode else { return false }
        let chosen = mode.dropFirst("rewrite:".count).split(separator: ",")
        return mode == "rewrite" || mode.hasPrefix("rewrite:") && chosen.contains { name.hasPrefix($0) }
    }

    /// Runs all commands. Stops at the first that fails or leaves another trace than the file says.
    func run(in scenario: Scenario = Scenario()) throws {
        let script = Script(try String(contentsOf: file, encoding: .utf8))
        var rendered: [String] = []
        for part in script.parts {
            switch part {
            case .prose(let line): rendered.append(line)
            case .command(let text, let line, let expected):
                let trace: [String]
                do { trace = try scenario.run(text) } catch {
                    // Who writes a new story wants to see how it came to this.
                    let before = isRewritten ? rendered : []
                    throw ClusterFailure(
                        "\(name).txt:\(line): '\(text)': \(error)\n\((before + scenario.trace).joined(separator: "\n"))")
                }
                rendered.append(text)
                rendered += trace
                if !isRewritten, trace != expected {
                    throw ClusterFailure("\(name).txt:\(line): '\(text)' leaves another trace (- expected, + actual)\n\(difference(expected, trace))")
                }
            }
        }
        if isRewritten { try Data((rendered.joined(separator: "\n") + "\n").utf8).write(to: file) }
    }
}

/// A transcript taken apart.
struct Script {
    enum Part {
        /// A comment or an empty line.
        case prose(String)
        case command(String, line: Int, trace: [String])
    }

    private(set) var parts: [Part] = []

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        for (offset, line) in lines.enumerated() {
            if line.hasPrefix(" "), case .command(let command, let number, let trace)? = parts.last {
                parts[parts.count - 1] = .command(command, line: number, trace: trace + [line])
            } else if line.isEmpty || line.hasPrefix("#") {
                parts.append(.prose(line))
            } else {
                parts.append(.command(line, line: offset + 1, trace: []))
            }
        }
    }
}

/// Both texts in one, changed lines marked.
func difference(_ expected: [String], _ actual: [String]) -> String {
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in actual.difference(from: expected) {
        switch change {
        case .remove(let offset, _, _): removed.insert(offset)
        case .insert(let offset, _, _): inserted.insert(offset)
        }
    }
    var lines: [String] = []
    var old = 0
    var new = 0
    while old < expected.count || new < actual.count {
        if removed.contains(old) {
            lines.append("- " + expected[old])
            old += 1
        } else if inserted.contains(new) {
            lines.append("+ " + actual[new])
            new += 1
        } else {
            lines.append("  " + actual[new])
            old += 1
            new += 1
        }
    }
    return lines.joined(separator: "\n")
}
