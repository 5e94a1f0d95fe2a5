/// One Markdown table, printed row by row.
struct Report {
    private static let columns = [
        "what", "entry", "writers", "entries/s", "p50 µs", "p99 µs", "bare loop entries/s", "ratio", "steps/s",
        "allocations per entry", "bytes per session",
    ]

    func printHead() {
        print("| " + Self.columns.joined(separator: " | ") + " |")
        print("|" + Self.columns.indices.map { $0 == 0 ? " --- |" : " ---: |" }.joined())
    }

    /// - Parameter cells: In the order of the columns; an empty one is not measured in this row.
    func printRow(_ cells: [String]) {
        precondition(cells.count == Self.columns.count, "a cell for every column")
        print("| " + cells.map { $0.isEmpty ? "-" : $0 }.joined(separator: " | ") + " |")
    }

    static func bytes(_ count: Int) -> String { count < 1_024 ? "\(count) B" : "\(count / 1_024) KiB" }

    /// Thousands apart.
    static func whole(_ value: Double) -> String {
        var digits = String(UInt64(value.rounded()))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }

    static func hundredths(_ value: Double) -> String {
        let scaled = UInt64((value * 100).rounded())
        return "\(scaled / 100)." + (scaled % 100 < 10 ? "0" : "") + "\(scaled % 100)"
    }
}
