import Glibc
import OpenSSL

/// A file that is read from its beginning to its end. Belongs to one thread.
final class SnapshotInput {
    private let path: String
    private let descriptor: CInt
    private var hasher = SHA256Hasher()
    private(set) var byteCount: UInt64 = 0

    /// - Throws: ``SnapshotError/file(_:)``, ``SnapshotError/notASnapshot`` for a directory and the like.
    init(path: String) throws(SnapshotError) {
        self.path = path
        // Non-blocking, or a named pipe would wait for its writer.
        let opened = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw .file(FileFailure(operation: .open, path: path, errno: errno)) }
        descriptor = opened
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(FileFailure(operation: .inspect, path: path, errno: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notASnapshot }
    }

    deinit { close(descriptor) }

    /// The next `count` bytes; fewer at the end of the file.
    func read(_ count: Int) throws(SnapshotError) -> [UInt8] {
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let got = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: done), count - done)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                done += got
            }
        }
        guard failure == 0 else { throw .file(FileFailure(operation: .read, path: path, errno: failure)) }
        hasher.update(bytes.span.bytes)
        byteCount += UInt64(bytes.count)
        return bytes
    }

    /// SHA-256 over what was read.
    func finishHash() -> Digest { hasher.finalize() }
}
