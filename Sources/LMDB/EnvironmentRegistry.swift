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

        /// - Throws: ``LMDBError/Code/alreadyOpen``, whatever path the directory is reached by.
        init(directory path: String) throws(LMDBError) {
            var status = stat()
            guard stat(path, &status) == 0 else { throw .last(during: "open") }
            let directory = DirectoryID(device: status.st_dev, inode: status.st_ino)
            guard EnvironmentRegistry.open.withLock({ $0.insert(directory).inserted }) else {
                throw LMDBError(.alreadyOpen, during: "open")
            }
            self.directory = directory
        }

        deinit { _ = EnvironmentRegistry.open.withLock { $0.remove(directory) } }
    }
}
