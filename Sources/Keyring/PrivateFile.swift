internal import Glibc
package import OpenSSL

/// Files that only their owner may read: keys, seals, certificates' keys.
///
/// Reads refuse a symbolic link, another owner and any permission for group or others. Writes are atomic: the old content or
/// the new is there after a crash, never a part.
package enum PrivateFile {
    /// Largest file read, in bytes. The keyring of a cluster with 10,000 keys is smaller.
    static let byteCountMax = 4 << 20

    /// Reads a whole file.
    ///
    /// - Throws: ``KeyringError/file(_:)`` with the path and the reason.
    package static func read(_ path: String) throws(KeyringError) -> SecretBytes {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot inspect", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file("'\(path)' is not a regular file") }
        guard status.st_uid == geteuid() else { throw .file("'\(path)' belongs to another user; make the user who runs conclave its owner") }
        guard status.st_mode & 0o077 == 0 else { throw .file("'\(path)' is readable by others; run: chmod 600 '\(path)'") }
        guard status.st_size <= byteCountMax else { throw .file("'\(path)' is too large to be a key file") }
        var isComplete = true
        let content = SecretBytes(count: Int(status.st_size)) { isComplete = readAll(descriptor, $0) }
        guard isComplete else { throw failure("cannot read", path) }
        return content
    }

    /// Writes a file of mode 0600 and makes it durable, its name included.
    ///
    /// - Throws: ``KeyringError/file(_:)`` with the path and the reason; the old file, if any, is as it was then.
    package static func write(_ content: RawSpan, to path: String) throws(KeyringError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot create", temporary) }
        let isWritten = content.withUnsafeBytes { writeAll(descriptor, $0) } && fsync(descriptor) == 0
        let reason = errno
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else {
            if isWritten { throw failure("cannot replace", path) }
            unlink(temporary)
            throw .file("cannot write '\(path)': \(String(cString: strerror(reason)))")
        }
        try synchronizeDirectory(of: path)
    }

    /// Whether there is something of that name, readable or not.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Removes a file, durably. Does nothing where there is none.
    ///
    /// - Throws: ``KeyringError/file(_:)`` with the path and the reason.
    package static func remove(_ path: String) throws(KeyringError) {
        guard unlink(path) == 0 else {
            guard errno == ENOENT else { throw failure("cannot remove", path) }
            return
        }
        try synchronizeDirectory(of: path)
    }

    /// Makes the names in the directory of `path` durable.
    private static func synchronizeDirectory(of path: String) throws(KeyringError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot make durable", directory) }
    }

    private static func readAll(_ descriptor: CInt, _ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = Glibc.read(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func writeAll(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func failure(_ what: String, _ path: String) -> KeyringError {
        .file("\(what) '\(path)': \(String(cString: strerror(errno)))")
    }
}
