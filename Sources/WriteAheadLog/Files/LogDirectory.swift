/// The directory that holds one node's log, as far as the log needs one: the seam at which a simulator breaks the disk.
///
/// All calls come from one thread at a time. Every call may fail with a ``FileFault``; the log treats a failed write or sync as the end of
/// this process life and never tries it again.
package protocol LogDirectory: SendableMetatype {
    associatedtype File: LogFile

    /// The names of the files that are there, in no particular order.
    func names() throws(FileFault) -> [String]

    /// Makes a new file of this size that reads as zeros. Its name is on disk only after ``sync()``, its space is taken at once.
    ///
    /// - Throws: ``FileFault/noSpace`` when it does not fit, ``FileFault/exists``.
    func create(_ name: String, byteCount: Int) throws(FileFault) -> File

    /// - Throws: ``FileFault/missing``.
    func open(_ name: String) throws(FileFault) -> File

    /// Gives a file another name, taking the place of a file that has it. On disk only after ``sync()``.
    func rename(_ name: String, to newName: String) throws(FileFault)

    /// On disk only after ``sync()``.
    func remove(_ name: String) throws(FileFault)

    /// Puts names, not contents, on disk: `fsync` of the directory.
    func sync() throws(FileFault)
}

/// An open file of a fixed size.
package protocol LogFile: AnyObject {
    var byteCount: Int { get }

    /// Exactly `byteCount` bytes from `offset` on.
    ///
    /// - Throws: ``FileFault/beyondEnd`` when the file is shorter.
    func read(at offset: Int, byteCount: Int) throws(FileFault) -> [UInt8]

    /// Visible to reads at once; on disk, in any order and in any part, only after ``sync()``.
    ///
    /// - Parameter bytes: Valid during the call.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFault)

    /// Everything written before is on disk when this returns: `fdatasync`.
    func sync() throws(FileFault)
}

extension LogFile {
    package func write(_ bytes: [UInt8], at offset: Int) throws(FileFault) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(FileFault) in try write(bytes, at: offset) }
    }
}

/// What a file operation can come to.
package enum FileFault: Error, Hashable, Sendable {
    case missing
    case exists
    case beyondEnd
    case noSpace
    /// The system's error number, as of Linux.
    case io(errno: Int32)
}
