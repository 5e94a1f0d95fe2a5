import Glibc
import OpenSSL

/// A new file that appears under its name when it is whole. Belongs to one thread.
///
/// Mode 0600, written under a temporary name beside the final one. One writer per name at a time.
final class SnapshotOutput {
    private static let temporarySuffix = ".partial"

    private let path: String
    private let temporaryPath: String
    private let descriptor: CInt
    private var hasher = SHA256Hasher()
    private(set) var byteCount: UInt64 = 0
    private var isPublished = false

    init(path: String) throws(FileFailure) {
        self.path = path
        temporaryPath = path + Self.temporarySuffix
        // A crash may have left one; and an old file would keep its mode.
        unlink(temporaryPath)
        let opened = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw FileFailure(operation: .create, path: temporaryPath, errno: errno) }
        descriptor = opened
    }

    /// Removes what was not published.
    deinit {
        close(descriptor)
        if !isPublished { unlink(temporaryPath) }
    }

    func write(_ bytes: [UInt8]) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(operation: .write, path: temporaryPath, errno: count < 0 ? errno : EIO) }
            done += count
        }
        hasher.update(bytes.span.bytes)
        byteCount += UInt64(bytes.count)
    }

    /// Makes the content durable, gives the file its name in place of an older file of that name, and makes that durable.
    ///
    /// - Returns: SHA-256 over the content.
    /// - Throws: ``FileFailure``. When only the directory could not be synchronised, the file has its name.
    func publish() throws(FileFailure) -> Digest {
        guard fsync(descriptor) == 0 else { throw FileFailure(operation: .synchronize, path: temporaryPath, errno: errno) }
        guard rename(temporaryPath, path) == 0 else { throw FileFailure(operation: .rename, path: temporaryPath, errno: errno) }
        isPublished = true
        try synchronizeDirectory()
        return hasher.finalize()
    }

    private func synchronizeDirectory() throws(FileFailure) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory = parent.isEmpty ? "/" : parent
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: .open, path: directory, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(operation: .synchronize, path: directory, errno: errno) }
    }
}
