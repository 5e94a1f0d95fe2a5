internal import Glibc

/// A failed call of the operating system on a file.
package struct FileFailure: Error, Equatable, CustomStringConvertible {
    package enum Operation: String, Sendable { case list, read, create, allocate, open, inspect, write, synchronize, rename, remove }

    package var operation: Operation
    package var path: String
    package var errno: CInt

    /// Whether the call was refused because the disk, or the quota on it, is full. A synchronisation that fails has lost data
    /// that was taken before, whatever its reason.
    var isDiskFull: Bool { (errno == ENOSPC || errno == EDQUOT) && operation != .synchronize }

    package var description: String { "cannot \(operation) '\(path)': \(String(cString: strerror(errno)))" }
}

/// What the log needs of a file system. A test gives it one that fails on purpose.
///
/// Used by one thread at a time.
protocol LogFileSystem: Sendable {
    /// Names in `directory`, sorted.
    func list(_ directory: String) throws(FileFailure) -> [String]
    /// The whole content of a file.
    func read(_ path: String) throws(FileFailure) -> [UInt8]
    /// Makes a new file of `byteCount` bytes, all zero and all allocated, and makes its name durable.
    func create(_ path: String, byteCount: Int) throws(FileFailure) -> any LogFile
    /// Opens a file for writing.
    func open(_ path: String) throws(FileFailure) -> any LogFile
    /// Removes a file durably. One that is gone already is no failure: the try before may have got half-way.
    func remove(_ path: String) throws(FileFailure)
    /// Bytes that this user may still write to the file system of `path`; `nil` if it cannot tell.
    func freeByteCount(_ path: String) -> Int?
}

/// A file of the log, open for writing.
protocol LogFile: AnyObject, Sendable {
    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: [UInt8], at offset: Int) throws(FileFailure)
    /// Makes everything written durable.
    ///
    /// After a failure the kernel may have dropped the data and forgotten it: never retry.
    func synchronize() throws(FileFailure)
}

/// The real file system.
struct PosixFileSystem: LogFileSystem {
    func list(_ directory: String) throws(FileFailure) -> [String] {
        guard let stream = opendir(directory) else { throw FileFailure(operation: .list, path: directory, errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func read(_ path: String) throws(FileFailure) -> [UInt8] {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: .open, path: path, errno: errno) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure(operation: .inspect, path: path, errno: errno) }
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < content.count {
            let count = content.withUnsafeMutableBytes { Glibc.pread(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(done)) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure(operation: .read, path: path, errno: errno) }
            guard count > 0 else { break }
            done += count
        }
        return Array(content.prefix(done))
    }

    func create(_ path: String, byteCount: Int) throws(FileFailure) -> any LogFile {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(operation: .create, path: path, errno: errno) }
        let file = PosixLogFile(path: path, descriptor: descriptor)
        do throws(FileFailure) {
            let status = posix_fallocate(descriptor, 0, off_t(byteCount))
            guard status == 0 else { throw FileFailure(operation: .allocate, path: path, errno: status) }
            guard fsync(descriptor) == 0 else { throw FileFailure(operation: .synchronize, path: path, errno: errno) }
            try synchronizeDirectory(of: path)
        } catch {
            unlink(path)
            throw error
        }
        return file
    }

    func open(_ path: String) throws(FileFailure) -> any LogFile {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: .open, path: path, errno: errno) }
        return PosixLogFile(path: path, descriptor: descriptor)
    }

    func remove(_ path: String) throws(FileFailure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFailure(operation: .remove, path: path, errno: errno) }
        try synchronizeDirectory(of: path)
    }

    func freeByteCount(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    private func synchronizeDirectory(of path: String) throws(FileFailure) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure(operation: .open, path: directory, errno: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure(operation: .synchronize, path: directory, errno: errno) }
    }
}

/// A real file. Immutable but for the kernel's side of it.
private final class PosixLogFile: LogFile {
    private let path: String
    private let descriptor: CInt

    init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { Glibc.close(descriptor) }

    func write(_ bytes: [UInt8], at offset: Int) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(offset + done)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(operation: .write, path: path, errno: count < 0 ? errno : EIO) }
            done += count
        }
    }

    func synchronize() throws(FileFailure) {
        guard fdatasync(descriptor) == 0 else { throw FileFailure(operation: .synchronize, path: path, errno: errno) }
    }
}
