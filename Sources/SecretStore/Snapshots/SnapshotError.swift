internal import Glibc

/// Why an image cannot be written, read or installed. Each case is one sentence for the operator; never a key or a value.
package enum SnapshotError: Error, Equatable, CustomStringConvertible {
    /// A call of the operating system failed.
    case file(FileFailure)
    /// The caller asked to stop.
    case cancelled
    /// The file does not begin as an image does.
    case notASnapshot
    /// An image of a format that this version does not know.
    case unknownFormat(UInt8)
    /// The image was taken in another cluster, partition or region.
    case foreign(what: String, found: String, expected: String)
    /// The image is sealed under a domain key that the keyring does not hold.
    case unknownKey(reference: String)
    /// This frame, counted from 0, is not the one that was written here: altered, moved, or from another image. Frame 0 also stands
    /// for the header.
    case altered(frame: UInt64)
    /// The file ends before the image does.
    case truncated
    /// Something follows the image.
    case trailingBytes
    /// The image is authentic and contradicts itself: whoever wrote it had a fault.
    case contradictory(String)

    /// Whether there was no room for the file. What was written of it is gone again.
    package var isDiskFull: Bool {
        guard case .file(let failure) = self else { return false }
        return failure.errno == ENOSPC || failure.errno == EDQUOT
    }

    package var description: String {
        switch self {
        case .file(let failure): failure.description
        case .cancelled: "the snapshot was cancelled"
        case .notASnapshot: "the file is not a snapshot of conclave"
        case .unknownFormat(let format):
            "the snapshot has format \(format), which this version of conclave does not know; use the version that wrote it"
        case .foreign(let what, let found, let expected):
            "the snapshot belongs to \(what) '\(found)', not '\(expected)'; restore it where it was taken"
        case .unknownKey(let reference): "the snapshot is sealed under the key '\(reference)', which this node's keyring does not hold"
        case .altered(let frame): "the snapshot was altered at or before its frame \(frame); use another copy"
        case .truncated: "the snapshot is not whole; use another copy"
        case .trailingBytes: "something was appended to the snapshot; use another copy"
        case .contradictory(let what): "the snapshot contradicts itself: \(what); use one from another node"
        }
    }
}
