import CLMDB
import Synchronization

extension Environment {
    /// Sizes and counts of an environment, for metrics and operators.
    package struct Statistics: Equatable, Sendable {
        /// Size of the map, in bytes: the file cannot outgrow it.
        package var mapSizeBytes: Int
        /// What the file takes at most, in bytes: all pages that were ever in use.
        package var usedBytes: Int
        /// Of these, the bytes in free pages, which later writes use again.
        package var freeBytes: Int
        /// Size of a page, in bytes.
        package var pageSizeBytes: Int
        /// Number of the last commit.
        package var lastTransactionID: Int
        /// The most reader slots that were taken at a time since the lock file was made.
        package var readerSlotsUsedMax: Int
        /// How many reader slots there are.
        package var readerSlots: Int
    }

    /// Sizes and counts as of now. Visits the free list: for every few seconds, not for every request.
    package func statistics() throws(LMDBError) -> Statistics {
        do {
            return try read { transaction in
                // Inside of a read, so that the map stays where it is.
                var information = MDB_envinfo()
                mdb_env_info(environment, &information)
                var tree = MDB_stat()
                mdb_env_stat(environment, &tree)
                let pageSize = Int(tree.ms_psize)
                return Statistics(
                    mapSizeBytes: information.me_mapsize,
                    usedBytes: (information.me_last_pgno + 1) * pageSize,
                    freeBytes: try freePageCount(in: transaction) * pageSize,
                    pageSizeBytes: pageSize,
                    lastTransactionID: information.me_last_txnid,
                    readerSlotsUsedMax: Int(information.me_numreaders),
                    readerSlots: Int(information.me_maxreaders))
            }
        } catch let error as LMDBError {
            throw error
        } catch {
            preconditionFailure("nothing else is thrown in this closure")
        }
    }

    /// Each value of LMDB's free list (table 0) is an array of page numbers behind their count.
    private func freePageCount(in transaction: borrowing ReadTransaction) throws(LMDBError) -> Int {
        var count = 0
        var cursor = try Cursor(RawTable(database: 0, environmentID: id), in: transaction)
        while let entry = try cursor.next() {
            count += entry.value.withUnsafeBytes { $0.count >= 8 ? $0.loadUnaligned(as: Int.self) : 0 }
        }
        return count
    }
}
