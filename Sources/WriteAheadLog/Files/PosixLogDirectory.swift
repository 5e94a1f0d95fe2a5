internal import Glibc

/// A directory of the file system, held exclusively: a second process that opens it is refused.
package final class PosixLogDirectory: LogDirectory {
    private let path: String
    private let descriptor: Int32

    /// - Parameter path: A directory that exists. Its files are made for their owner only.
    /// - Throws: ``FileFault/io(errno:)`` with `EWOULDBLOCK` when another process has it.
    package init(path: String) throws(FileFault) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let fault = FileFault.last
            close(descriptor)
            throw fault
        }
    }

    deinit { close(descriptor) }

    package func names() throws(FileFault) -> [String] {
        guard let stream = opendir(path) else { throw .last }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .last }
        return names
    }

    package func create(_ name: String, byteCount: Int) throws(FileFault) -> PosixLogFile {
        let file = openat(descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .last }
        do throws(FileFault) {
            try Self.fill(file, byteCount)
        } catch {
            close(file)
            // The space is worth more than the error of giving it back.
            unlinkat(descriptor, name, 0)
            throw error
        }
        return PosixLogFile(descriptor: file, byteCount: byteCount)
    }

    /// Takes the space and writes zeros over it: a first write into space that is only reserved costs the file system's journal a sync.
    /// In pieces, because large single writes have made later small ones slower.
    private static func fill(_ file: Int32, _ byteCount: Int) throws(FileFault) {
        let status = posix_fallocate(file, 0, byteCount)
        guard status == 0 else { throw FileFault(errno: status) }
        let zeros = [UInt8](repeating: 0, count: min(byteCount, 1 << 20))
        var offset = 0
        while offset < byteCount {
            let written = pwrite(file, zeros, min(zeros.count, byteCount - offset), offset)
            guard written > 0 else {
                if errno == EINTR { continue }
                throw .last
            }
            offset += written
        }
        guard fsync(file) == 0 else { throw .last }
    }

    package func open(_ name: String) throws(FileFault) -> PosixLogFile {
        let file = openat(descriptor, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw .last }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            let fault = FileFault.last
            close(file)
            throw fault
        }
        return PosixLogFile(descriptor: file, byteCount: Int(status.st_size))
    }

    package func rename(_ name: String, to newName: String) throws(FileFault) {
        guard renameat(descriptor, name, descriptor, newName) == 0 else { throw .last }
    }

    package func remove(_ name: String) throws(FileFault) {
        guard unlinkat(descriptor, name, 0) == 0 else { throw .last }
    }

    package func sync() throws(FileFault) {
        guard fsync(descriptor) == 0 else { throw .last }
    }
}

/// A file of a ``PosixLogDirectory``.
package final class PosixLogFile: LogFile {
    package let byteCount: Int
    private let descriptor: Int32

    init(descriptor: Int32, byteCount: Int) {
        self.descriptor = descriptor
        self.byteCount = byteCount
    }

    deinit { close(descriptor) }

    package func read(at offset: Int, byteCount: Int) throws(FileFault) -> [UInt8] {
        var fault: FileFault?
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            while count < byteCount {
                let read = pread(descriptor, buffer.baseAddress.map { $0 + count }, byteCount - count, offset + count)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    fault = read == 0 ? .beyondEnd : .last
                    return
                }
                count += read
            }
        }
        if let fault { throw fault }
        return bytes
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFault) {
        guard offset + bytes.count <= byteCount else { throw .beyondEnd }
        var written = 0
        while written < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, offset + written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last }
            written += count
        }
    }

    package func sync() throws(FileFault) {
        guard fdatasync(descriptor) == 0 else { throw .last }
    }
}

extension FileFault {
    fileprivate static var last: FileFault { FileFault(errno: errno) }

    fileprivate init(errno: Int32) {
        self =
            switch errno {
            case ENOENT: .missing
            case EEXIST: .exists
            case ENOSPC, EDQUOT: .noSpace
            default: .io(errno: errno)
            }
    }
}
