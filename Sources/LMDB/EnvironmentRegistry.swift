import Glibc
import Synchronization

/// Which directories this process has open. LMDB forbids a second opening: closing one of the two would drop the file
/// locks of both.
enum EnvironmentRegistry {
    private struct DirectoryID: Hashable, Sendable {
        let device: dev_t
        let inode: ino_t
    }

    private static let open = Mutex<Set<DirectoryID>>([])

    /// The entry of one directory, removed when the last reference goes.
    final class Registration: Sendable {
        private let directory: DirectoryID
        /// Held open, so that a directory made after this one was removed does not get its number.
        private let descriptor: Int32

        /// - Throws: ``LMDBError/Code/alreadyOpen``, whatever path the directory is reached by.
        init(directory path: String) throws(LMDBError) {
            let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .last(during: "open") }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                let error = LMDBError.last(during: "open")
                close(descriptor)
                throw error
            }
            let directory = DirectoryID(device: status.st_dev, inode: status.st_ino)
            guard EnvironmentRegistry.open.withLock({ $0.insert(directory).inserted }) else {
                close(descriptor)
                throw LMDBError(.alreadyOpen, during: "open")
            }
            self.directory = directory
            self.descriptor = descriptor
        }

        deinit {
            _ = EnvironmentRegistry.open.withLock { $0.remove(directory) }
            close(descriptor)
        }
    }
}
