import CLMDB
import Glibc
import Synchronization

/// An LMDB environment: one directory with one data file, opened once in this process.
///
/// Any thread may use it. Reads never wait for writers and hold no lock while they run; there is one writer at a time,
/// who blocks its thread (on the disk, too), so writes belong on a thread of their own. Not usable in a child after
/// `fork`. Closed when the last reference goes, which a write transaction in progress holds as well.
///
/// Flags: `MDB_NOTLS` always (read transactions are parked and lent to any thread), `MDB_NORDAHEAD` (random reads),
/// never `MDB_NOSYNC` (damages the file in a crash), `MDB_WRITEMAP` (exposes the file to stray writes) or
/// `MDB_NOMEMINIT` (writes left-over heap memory, perhaps plaintext, to the disk).
///
/// Sendable: LMDB's environment handle may be used from any thread; what it forbids (a second writer in one thread, a
/// change of the map under a transaction, two table openings at a time) the gate and the writer's place exclude.
package final class Environment: @unchecked Sendable {
    let environment: OpaquePointer
    let gate = TransactionGate()
    /// Tells environments of this process apart.
    let id: UInt32
    /// The directory.
    package let path: String
    /// See ``Configuration/mapSizeBytesMax``.
    let mapSizeBytesMax: Int
    /// The descriptor of the data file; LMDB's own, closed with the environment.
    let dataFile: Int32
    /// Size of the map, in bytes. Changed only while no transaction runs.
    let mapSize: Atomic<Int>
    /// Set when the map was lost in a failed growth: nothing may touch it any more.
    let isMapLost = Atomic<Bool>(false)
    /// Set when the disk failed in a commit. The kernel drops what it could not write and forgets the failure, so a
    /// later commit could succeed on top of pages that are not on the disk. There is no later commit.
    let areWritesLost = Atomic<Bool>(false)
    private let registration: EnvironmentRegistry.Registration

    private static let nextID = Atomic<UInt32>(1)

    /// Opens the environment, and makes its files if they are missing (mode 0600).
    ///
    /// Also frees the reader slots of processes that died, and checks that the trees of an existing file lie within it.
    ///
    /// - Throws: ``LMDBError/Code/alreadyOpen``, ``LMDBError/Code/notADatabase``, ``LMDBError/Code/corrupted``,
    ///   ``LMDBError/Code/versionMismatch``, or an `errno`.
    package init(_ configuration: Configuration) throws(LMDBError) {
        let missing = try DataDirectory.prepare(configuration.path)
        let registration = try EnvironmentRegistry.Registration(directory: configuration.path)
        let environment = try Self.open(configuration)
        var dataFile: Int32 = -1
        mdb_env_get_fd(environment, &dataFile)
        // The check below needs a slot, which the dead may hold. Whatever keeps this from working, that will report.
        mdb_reader_check(environment, nil)
        let recordedMapSize: Int
        do throws(LMDBError) {
            recordedMapSize = try FileCheck.run(environment, dataFile: dataFile)
            if missing.dataFile { try DataDirectory.synchronize(configuration.path, isNew: missing.directory) }
        } catch {
            mdb_env_close(environment)
            throw error
        }
        self.environment = environment
        self.registration = registration
        id = Self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        path = configuration.path
        mapSizeBytesMax = configuration.mapSizeBytesMax
        self.dataFile = dataFile
        // LMDB has taken a larger size if the file needs it.
        var information = MDB_envinfo()
        mdb_env_info(environment, &information)
        mapSize = Atomic(information.me_mapsize)
        // A file that has grown keeps its size; when the system cannot give it now, a write will ask again.
        if recordedMapSize > information.me_mapsize, recordedMapSize <= mapSizeBytesMax {
            _ = remap(to: recordedMapSize)
        }
    }

    deinit {
        freeParkedReaders()
        mdb_env_close(environment)
    }

    /// Gives up the slots of the read transactions that wait to be used again.
    func freeParkedReaders() {
        for reader in gate.takeParked() { mdb_txn_abort(reader.pointer) }
    }

    /// Opens the table of that name; makes it if it is missing (a commit).
    ///
    /// Blocks like a write. A read transaction sees a table only if it began later.
    ///
    /// - Parameter name: Not empty, without zero bytes; a constant of the program.
    /// - Throws: ``LMDBError/Code/tablesFull``, or what a write throws.
    /// - Precondition: This thread is not inside a transaction of this environment.
    package func openTable<Key>(_ name: String, key: Key.Type = Key.self) throws(LMDBError) -> Table<Key> {
        Table(try openRawTable(name))
    }

    /// Opens the table of that name with byte keys; see ``openTable(_:key:)``.
    package func openRawTable(_ name: String) throws(LMDBError) -> RawTable {
        precondition(!name.isEmpty && !name.utf8.contains(0), "a table name is a non-empty C string")
        while true {
            let size = mapSize.load(ordering: .relaxed)
            do throws(LMDBError) {
                let transaction = try beginWrite()
                var database: MDB_dbi = 0
                let status = mdb_dbi_open(transaction.handle.pointer, name, UInt32(MDB_CREATE), &database)
                guard status == MDB_SUCCESS else { throw self.error(status: status, during: "table open") }
                try transaction.commit()
                return RawTable(database: database, environmentID: id)
            } catch {
                guard error.code == .mapFull else { throw error }
                try growMap(after: size)
            }
        }
    }

    /// Frees the reader slots of processes that died within a read transaction, whose snapshots keep old pages from
    /// being used again. Also done at opening and when the reader table is full.
    ///
    /// - Returns: How many there were.
    @discardableResult
    package func reapStaleReaders() -> Int {
        var dead: Int32 = 0
        // It fails only where a dead process held the lock and the table could not be repaired; the next begin reports
        // that.
        guard mdb_reader_check(environment, &dead) == MDB_SUCCESS else { return 0 }
        return Int(dead)
    }

    /// Waits until all commits are on the disk, which matters with ``Durability/noMetaSync`` only.
    ///
    /// - Throws: What the disk says; the environment takes no more writes then, as after a failed commit.
    package func synchronize() throws(LMDBError) {
        let status = mdb_env_sync(environment, 1)
        guard status == MDB_SUCCESS else { throw diskFailure(status: status, during: "sync") }
    }

    /// An LMDB status as an error. LMDB reports a short write as `EIO`, which a full disk is the usual reason for.
    @inline(never)
    func error(status: Int32, during operation: StaticString) -> LMDBError {
        if status == EIO, DataDirectory.isFull(dataFile) { return LMDBError(.diskFull, during: operation) }
        return LMDBError(status: status, during: operation)
    }

    /// The error of a commit or a sync; ends all writing unless it came before anything was written, or is a full disk.
    @inline(never)
    func diskFailure(status: Int32, during operation: StaticString) -> LMDBError {
        let error = error(status: status, during: operation)
        if case .system(let code) = error.code, code != ENOMEM { areWritesLost.store(true, ordering: .relaxed) }
        return error
    }

    private static func open(_ configuration: Configuration) throws(LMDBError) -> OpaquePointer {
        precondition(
            configuration.maxTables > 0 && configuration.maxReaders > 0, "limits of an environment are above zero")
        var created: OpaquePointer?
        let status = mdb_env_create(&created)
        guard status == MDB_SUCCESS, let environment = created else {
            throw LMDBError(status: status, during: "create")
        }
        // The three calls fail on an environment that is open only.
        mdb_env_set_mapsize(environment, MapSize.rounded(configuration.mapSizeBytes))
        mdb_env_set_maxdbs(environment, MDB_dbi(configuration.maxTables))
        mdb_env_set_maxreaders(environment, UInt32(configuration.maxReaders))
        var flags = UInt32(MDB_NOTLS | MDB_NORDAHEAD)
        if configuration.durability == .noMetaSync { flags |= UInt32(MDB_NOMETASYNC) }
        let opening = mdb_env_open(environment, configuration.path, flags, DataDirectory.fileMode)
        guard opening == MDB_SUCCESS else {
            mdb_env_close(environment)
            throw LMDBError(status: opening, during: "open")
        }
        guard mdb_env_get_maxkeysize(environment) >= KeyEncoder.byteCountMax else {
            mdb_env_close(environment)
            throw LMDBError(.versionMismatch, during: "open")
        }
        return environment
    }
}
