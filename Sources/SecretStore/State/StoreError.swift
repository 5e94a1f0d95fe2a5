/// What is wrong with a state on disk, beyond what LMDB and the keyring report. Never a key or a value.
package enum StoreError: Error, Equatable, CustomStringConvertible {
    /// A row that does not decode, or that another row promised and that is not there.
    case corrupted(table: String)
    /// The state belongs to another cluster, partition or region, or to a version of conclave with another format.
    case foreign(what: String, found: String, expected: String)

    package var description: String {
        switch self {
        case .corrupted(let table):
            "the table '\(table)' of the state holds a row that contradicts the rest; restore from a backup or another node"
        case .foreign(let what, let found, let expected):
            "the data directory belongs to \(what) '\(found)', not '\(expected)'; start with the configuration that it was made with"
        }
    }
}
