/// The cluster's status as a table for people.
enum ClusterTable {
    static func text(_ status: ClusterStatus) -> String {
        let heads = ["ID", "PEERS", "CLIENTS", "ROLE", "TERM", "APPLIED", "LAG", "DISK FREE", "CERT DAYS", "VERSION"]
        func number(_ value: (some BinaryInteger)?) -> String { value.map { "\($0)" } ?? "-" }
        let rows = status.nodes.map { row in
            [
                "\(row.id)", row.peerAddress, row.apiAddress, row.role + (row.state == "active" ? "" : " (\(row.state))"), number(row.term),
                number(row.applied), number(row.lag), row.diskFreeBytes.map { "\($0 >> 20) MiB\(row.diskLow == true ? " LOW" : "")" } ?? "-",
                number(row.certificateDays), row.version,
            ]
        }
        let widths = heads.indices.map { column in ([heads] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([heads] + rows).map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        let leader = status.leader.map { "node \($0)" } ?? "none"
        return lines.joined(separator: "\n") + "\n\nCluster \(status.clusterID), region \(status.region): \(status.health.rawValue). Leader: \(leader).\n"
    }
}
