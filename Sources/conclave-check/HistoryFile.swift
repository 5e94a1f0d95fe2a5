import Foundation

/// Reads history files.
enum HistoryFile {
    /// - Parameter path: Of a file with one JSON object per line; empty lines are passed over.
    /// - Throws: ``HistoryProblem`` with the number of the line that cannot be read.
    static func read(_ path: String) throws(HistoryProblem) -> [HistoryLine] {
        guard let data = FileManager.default.contents(atPath: path) else { throw HistoryProblem(description: "'\(path)' cannot be read") }
        return try parse(data, name: path)
    }

    static func parse(_ data: Data, name: String) throws(HistoryProblem) -> [HistoryLine] {
        let decoder = JSONDecoder()
        var lines: [HistoryLine] = []
        var number = 0
        for text in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if text.isEmpty { continue }
            let line: HistoryLine
            do {
                line = try decoder.decode(HistoryLine.self, from: text)
            } catch {
                throw HistoryProblem(description: "\(name):\(number): \(reason(error))")
            }
            guard line.outcome != .ok || line.return != nil else { throw HistoryProblem(description: "\(name):\(number): an answer has no time") }
            guard line.return.map({ $0 >= line.call }) ?? true else {
                throw HistoryProblem(description: "\(name):\(number): it returns before its call")
            }
            lines.append(line)
        }
        return lines
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "the member '\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has the wrong type"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has a value that is not known"
        default: "this is not a JSON object"
        }
    }
}
