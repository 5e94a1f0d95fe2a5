import Glibc

/// The directory of an environment, seen from the file system.
enum DataDirectory {
    /// Only the owner may list or change the directory.
    static let directoryMode: mode_t = 0o700
    /// Only the owner may read or write the files.
    static let fileMode: mode_t = 0o600
    /// With fewer free bytes than this, a short write means a full disk.
    private static let freeBytesMin: UInt = 1 << 20

    /// Where LMDB keeps the data.
    static func dataFile(in directory: String) -> String { directory + "/data.mdb" }

    /// What ``prepare(_:)`` found missing.
    struct Missing {
        let directory: Bool
        let dataFile: Bool
    }

    /// Makes the directory if it is missing.
    static func prepare(_ path: String) throws(LMDBError) -> Missing {
        let isMade = mkdir(path, directoryMode) == 0
        guard isMade || errno == EEXIST else { throw .last(during: "directory creation") }
        return Missing(directory: isMade, dataFile: access(dataFile(in: path), F_OK) != 0)
    }

    /// Makes the names of new files durable, and that of the directory if it is new.
    static func synchronize(_ path: String, isNew: Bool) throws(LMDBError) {
        try synchronize(path)
        if isNew { try synchronize(path + "/..") }
    }

    private static func synchronize(_ path: String) throws(LMDBError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last(during: "directory sync") }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory; they say so.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last(during: "directory sync") }
    }

    /// Whether the file system of an open file has no room.
    static func isFull(_ descriptor: Int32) -> Bool {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { return false }
        return UInt(status.f_bavail) * UInt(status.f_frsize) < freeBytesMin
    }
}
