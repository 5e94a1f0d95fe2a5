/// Why a write, read or sync of the log failed. The end of this process life for the log: it never tries again, because what a failed
/// write or sync left on the disk is not known (Linux drops the pages and forgets the failure).
package enum LogFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// No further segment fits on the disk. Nothing of the writes given was begun, unless they need more than one.
    case noSpace
    case io(FileFault)
    /// An entry that no segment takes, of that many bytes.
    case entryTooLarge(byteCount: Int)
    /// An entry that was durable cannot be read back.
    case unreadable(index: UInt64)

    package var description: String {
        switch self {
        case .noSpace: "the disk has no room for another segment of the log; free some space, then restart the node"
        case .io(let fault): "the log's file system failed (\(fault)); check the disk, then restart the node"
        case .entryTooLarge(let count): "an entry of \(count) bytes is larger than a segment of the log"
        case .unreadable(let index): "entry \(index) cannot be read back from the log; check the disk, then restart the node"
        }
    }
}

/// Why a log is not opened. Nothing was changed; a person decides.
package struct LogProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case foreign, missingSegment, unreadableBeginning, unknownFormat, settings
        case io(FileFault)
    }

    package let kind: Kind
    /// One sentence that says what to do.
    package let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    init(_ fault: FileFault) {
        self.init(.io(fault), "the log's file system failed (\(fault)); check the disk, then start the node again")
    }
}
