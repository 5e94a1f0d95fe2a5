import CLMDB
import Glibc
import Synchronization

/// Sizes of the memory map.
enum MapSize {
    /// LMDB wants a multiple of the system's page; this one is a multiple of every page size in use.
    private static let granularity = 64 << 10

    /// The next valid size that is not below `bytes`.
    static func rounded(_ bytes: Int) -> Int {
        precondition(bytes > 0, "a map has a size")
        let whole = bytes / granularity * granularity
        return whole == bytes || whole > Int.max - granularity ? whole : whole + granularity
    }

    /// The size to grow to by itself: growths are rare when each doubles.
    static func next(after bytes: Int) -> Int { bytes > Int.max / 4 ? bytes : bytes * 2 }
}

extension Environment {
    /// Makes the map at least that large, in bytes; does nothing when it is already.
    ///
    /// Waits for the writer and for all transactions of this process; new ones wait meanwhile. The file records the
    /// size with the next commit.
    ///
    /// - Throws: ``LMDBError/Code/mapFull`` when the configuration does not allow the size, or `ENOMEM` when the
    ///   process has no such range of addresses; the map is as before then.
    /// - Precondition: This thread is not inside a transaction of this environment.
    package func growMap(toAtLeast bytes: Int) throws(LMDBError) {
        gate.enterWrite()
        defer { gate.leaveWrite() }
        let current = mapSize.load(ordering: .relaxed)
        guard bytes > current else { return }
        let size = MapSize.rounded(bytes)
        guard size <= mapSizeBytesMax else { throw LMDBError(.mapFull, during: "map growth") }
        if let error = gate.withoutTransactions({ remap(to: size) }) { throw error }
    }

    /// Takes over the size that another process gave the file (`MDB_MAP_RESIZED`).
    func adoptMapSize() throws(LMDBError) {
        guard !gate.isReading, !gate.isWriting else { throw LMDBError(.mapResized, during: "begin read") }
        gate.enterWrite()
        defer { gate.leaveWrite() }
        if let error = gate.withoutTransactions({ remap(to: nil) }) { throw error }
    }

    /// Grows the map after a transaction has met its end at the size of `current` bytes.
    /// - Throws: ``LMDBError/Code/mapFull`` when it is as large as it may be.
    func growMap(after current: Int) throws(LMDBError) {
        guard current < mapSizeBytesMax else { throw LMDBError(.mapFull, during: "map growth") }
        try growMap(toAtLeast: min(MapSize.next(after: current), mapSizeBytesMax))
    }

    /// Changes the map. Called while no transaction runs.
    /// - Parameter size: nil for the size in the file.
    func remap(to size: Int?) -> LMDBError? {
        do throws(LMDBError) {
            let size = if let size { size } else { try FileCheck.recordedMapSize(dataFile) }
            // LMDB gives the old map up before it asks for the new one, and cannot go on without. So try first.
            guard let trial = mmap(nil, size, PROT_READ, MAP_SHARED, dataFile, 0), trial != MAP_FAILED else {
                throw .last(during: "map growth")
            }
            munmap(trial, size)
            let status = mdb_env_set_mapsize(environment, size)
            guard status == MDB_SUCCESS else {
                isMapLost.store(true, ordering: .relaxed)
                areWritesLost.store(true, ordering: .relaxed)
                throw error(status: status, during: "map growth")
            }
        } catch {
            return error
        }
        var information = MDB_envinfo()
        mdb_env_info(environment, &information)
        mapSize.store(information.me_mapsize, ordering: .relaxed)
        return nil
    }
}
