import CLMDB
import Glibc
import Synchronization

extension Environment {
    // MARK: Reading

    /// Runs `body` with a snapshot of the last commit.
    ///
    /// Costs well under a microsecond besides `body`, waits for no writer (only, briefly, for a growth of the map), and
    /// may be called from any thread, also inside another read or inside a write (which it does not see).
    /// Keep it short: a snapshot keeps old pages from being used again, and a growth of the map waits for it.
    ///
    /// - Throws: ``LMDBError/Code/readersFull`` and what else the begin meets, or what `body` throws.
    package func read<Result: ~Copyable>(_ body: (borrowing ReadTransaction) throws -> Result) throws -> Result {
        let reader = try beginRead()
        defer { endRead(reader) }
        return try body(ReadTransaction(handle: TransactionHandle(pointer: reader.pointer, environmentID: id)))
    }

    private func beginRead() throws(LMDBError) -> TransactionGate.ParkedReader {
        var hasReaped = false
        while true {
            let parked = gate.enterRead()
            let (status, reader) = start(parked)
            if let reader { return reader }
            if let surplus = gate.leaveRead(parking: parked) { mdb_txn_abort(surplus.pointer) }
            switch status {
            case MDB_MAP_RESIZED:
                try adoptMapSize()
            case MDB_READERS_FULL where !hasReaped:
                reapStaleReaders()
                hasReaped = true
            default:
                throw error(status: status, during: "begin read")
            }
        }
    }

    /// Renews a parked transaction or makes one.
    private func start(_ parked: TransactionGate.ParkedReader?) -> (Int32, TransactionGate.ParkedReader?) {
        guard !isMapLost.load(ordering: .relaxed) else { return (MDB_PANIC, nil) }
        if let parked {
            let status = mdb_txn_renew(parked.pointer)
            return (status, status == MDB_SUCCESS ? parked : nil)
        }
        var begun: OpaquePointer?
        let status = mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
        return (status, status == MDB_SUCCESS ? begun.map { TransactionGate.ParkedReader(pointer: $0) } : nil)
    }

    private func endRead(_ reader: TransactionGate.ParkedReader) {
        mdb_txn_reset(reader.pointer)
        if let surplus = gate.leaveRead(parking: reader) { mdb_txn_abort(surplus.pointer) }
    }

    // MARK: Writing

    /// Runs `body` in a write transaction, commits when it returns and aborts when it throws.
    ///
    /// Blocks until no other writer is there, and for the commit. When the map is full, it is grown and `body` runs
    /// again in a new transaction, whatever the first run returned or threw: `body` must be repeatable.
    ///
    /// - Throws: ``LMDBError/Code/mapFull`` when the map may not grow further, ``LMDBError/Code/diskFull``, what else
    ///   LMDB meets, or what `body` throws. Nothing is changed then. After a commit that the disk failed, every write
    ///   throws ``LMDBError/Code/panicked``: only a restart knows again what is on the disk.
    /// - Precondition: This thread is not inside another transaction of this environment.
    @discardableResult
    package func write<Result: ~Copyable>(_ body: (inout WriteTransaction) throws -> Result) throws -> Result {
        while true {
            let size = mapSize.load(ordering: .relaxed)
            var isMapFull = false
            do {
                return try attempt(body, &isMapFull)
            } catch {
                guard isMapFull else { throw error }
                try growMap(after: size)
            }
        }
    }

    private func attempt<Result: ~Copyable>(
        _ body: (inout WriteTransaction) throws -> Result, _ isMapFull: inout Bool
    ) throws -> Result {
        var transaction = try beginWrite()
        let result: Result
        do {
            result = try body(&transaction)
        } catch {
            // Dropped here, which aborts it. What `body` made of the failure does not matter.
            isMapFull = transaction.failure?.code == .mapFull
            throw error
        }
        do throws(LMDBError) {
            try transaction.commit()
        } catch {
            isMapFull = error.code == .mapFull
            throw error
        }
        return result
    }

    /// Begins the write transaction by hand, for a thread that keeps it open over several steps.
    ///
    /// Blocks until no other writer is there. The transaction must be used and ended on this thread. When it fails with
    /// ``LMDBError/Code/mapFull``, end it, call ``growMap(toAtLeast:)`` and repeat the work.
    ///
    /// - Precondition: This thread is not inside another transaction of this environment.
    package func beginWrite() throws(LMDBError) -> WriteTransaction {
        gate.enterWrite()
        var begun: OpaquePointer?
        var status = beginWrite(&begun)
        if status == MDB_MAP_RESIZED {
            // Another process has grown the file; nobody but us is in the writer's place.
            if let error = gate.withoutTransactions({ remap(to: nil) }) {
                gate.leaveWrite()
                throw error
            }
            status = beginWrite(&begun)
        }
        guard status == MDB_SUCCESS, let begun else {
            gate.leaveWrite()
            throw error(status: status, during: "begin write")
        }
        return WriteTransaction(
            handle: TransactionHandle(pointer: begun, environmentID: id), environment: Unmanaged.passRetained(self))
    }

    private func beginWrite(_ begun: inout OpaquePointer?) -> Int32 {
        guard !areWritesLost.load(ordering: .relaxed) else { return MDB_PANIC }
        return mdb_txn_begin(environment, nil, 0, &begun)
    }

    /// Commits the writer's transaction; LMDB frees it in any case.
    func endWrite(committing transaction: OpaquePointer) -> LMDBError? {
        gate.checkWriter()
        let status = mdb_txn_commit(transaction)
        gate.leaveWrite()
        return status == MDB_SUCCESS ? nil : diskFailure(status: status, during: "commit")
    }

    /// Aborts the writer's transaction.
    func endWrite(aborting transaction: OpaquePointer) {
        gate.checkWriter()
        mdb_txn_abort(transaction)
        gate.leaveWrite()
    }
}
