extension Environment {
    /// What an environment is opened with.
    package struct Configuration: Sendable {
        /// The directory of the two files, `data.mdb` and `lock.mdb`; made (0700) if missing, its parent must exist.
        package var path: String
        /// Size of the memory map at opening, in bytes: address space, not memory or disk. A file that has grown beyond
        /// it keeps its own size.
        package var mapSizeBytes: Int = 256 << 30
        /// The size up to which ``Environment/write(_:)`` grows the map, in bytes (an x86-64 process has 128 TiB of
        /// addresses; one growth step needs the old and the new size at a time).
        package var mapSizeBytesMax: Int = 16 << 40
        /// How many tables can be opened; each costs every transaction a few nanoseconds.
        package var maxTables: Int = 32
        /// Slots of the reader table: read transactions, running and parked, of all processes (64 bytes each).
        package var maxReaders: Int = 1024
        /// What a commit waits for.
        package var durability: Durability = .everyCommit

        package init(path: String) { self.path = path }
    }

    /// What a commit waits for. Neither choice can damage the file in a crash; `MDB_NOSYNC`, which can, is not offered.
    package enum Durability: Sendable {
        /// The commit is on the disk: data, then the meta page, two flushes.
        case everyCommit
        /// The data is on the disk, the meta page soon (`MDB_NOMETASYNC`, one flush): a crash of the machine may lose
        /// the last commit, whole. For state that a log can replay.
        case noMetaSync
    }
}
