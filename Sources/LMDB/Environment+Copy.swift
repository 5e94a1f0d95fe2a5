import CLMDB
import Glibc
import Synchronization

extension Environment {
    /// Copies the environment as of now into a directory, while reads and writes go on: a backup that opens as it is.
    ///
    /// A long read: pages that are freed meanwhile are not used again, and a growth of the map waits for the end.
    ///
    /// - Parameters:
    ///   - path: A directory that has no `data.mdb`; made (0700) if missing. Nothing is left in it after an error.
    ///   - compacting: Leaves free pages out, and with them the remains of deleted values; slower.
    /// - Throws: `EEXIST`, ``LMDBError/Code/diskFull``, ``LMDBError/Code/pagesLeaked``, or another `errno`.
    /// - Precondition: This thread has no write transaction of this environment.
    package func copy(to path: String, compacting: Bool) throws(LMDBError) {
        let isDirectoryNew = try DataDirectory.prepare(path).directory
        let file = DataDirectory.dataFile(in: path)
        // LMDB's own `mdb_env_copy2` would make the file readable for everyone (0666 and the umask).
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, DataDirectory.fileMode)
        guard descriptor >= 0 else { throw .last(during: "copy") }
        do throws(LMDBError) {
            defer { close(descriptor) }
            try copy(toDescriptor: descriptor, compacting: compacting)
            guard fsync(descriptor) == 0 else { throw .last(during: "copy") }
            try DataDirectory.synchronize(path, isNew: isDirectoryNew)
        } catch {
            unlink(file)
            if isDirectoryNew { rmdir(path) }
            throw error
        }
    }

    /// Writes a copy of the data file, as of now, to a descriptor (a file, a pipe, a socket; blocking); see
    /// ``copy(to:compacting:)``. Does not sync. The process must ignore SIGPIPE.
    package func copy(toDescriptor descriptor: Int32, compacting: Bool) throws(LMDBError) {
        var status = copyOnce(toDescriptor: descriptor, compacting: compacting)
        // Both are met at the very start, before a byte is written.
        if status == MDB_MAP_RESIZED {
            try adoptMapSize()
            status = copyOnce(toDescriptor: descriptor, compacting: compacting)
        } else if status == MDB_READERS_FULL {
            reapStaleReaders()
            freeParkedReaders()
            status = copyOnce(toDescriptor: descriptor, compacting: compacting)
        }
        guard status != MDB_INCOMPATIBLE else { throw LMDBError(.pagesLeaked, during: "copy") }
        guard status == MDB_SUCCESS else { throw error(status: status, during: "copy") }
    }

    private func copyOnce(toDescriptor descriptor: Int32, compacting: Bool) -> Int32 {
        gate.enterCopy()
        defer { gate.leaveCopy() }
        guard !isMapLost.load(ordering: .relaxed) else { return MDB_PANIC }
        return mdb_env_copyfd2(environment, descriptor, compacting ? UInt32(MDB_CP_COMPACT) : 0)
    }
}
