import CLMDB
import Glibc

/// What went wrong in LMDB or in a file operation around it, and during what.
///
/// Two errors are equal when their codes are: the operation is for the reader of a log line.
package struct LMDBError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed list of failures that a caller may want to tell apart. The texts are in ``LMDBError/description``.
    package enum Code: Equatable, Sendable {
        /// `MDB_MAP_FULL`: the data file has reached the size of the map, and the map may not grow (further).
        case mapFull
        /// `MDB_MAP_RESIZED`: another process grew the file beyond our map while this thread was inside a transaction.
        case mapResized
        /// `MDB_READERS_FULL`: every slot of the reader table is taken.
        case readersFull
        /// `ENOSPC` or `EDQUOT`, or a short write on a file system without room.
        case diskFull
        /// `MDB_TXN_FULL`: a transaction has more dirty pages than LMDB can keep (131,071).
        case transactionFull
        /// `MDB_DBS_FULL`: more tables than the environment was opened for.
        case tablesFull
        /// `MDB_BAD_VALSIZE`: an empty key, a key of more than 511 bytes, or a value of 4 GiB or more.
        case badValueSize
        /// `MDB_KEYEXIST` from an append: the key does not sort after the last key of the table.
        case keyNotInOrder
        /// `MDB_BAD_TXN`: an earlier operation of the same transaction failed, so it can only be aborted.
        case badTransaction
        /// `MDB_BAD_DBI`, or `EINVAL` from a call with a table: it was opened after the transaction began.
        case badTable
        /// `MDB_BAD_RSLOT`: a reader slot was taken from this process (a fork, or a wrong stale-reader cleanup).
        case badReaderSlot
        /// `MDB_CORRUPTED`, `MDB_PAGE_NOTFOUND`, or the check at opening: pages of the file contradict each other.
        case corrupted
        /// `MDB_INVALID`: the file is not an LMDB file, or its first pages are damaged.
        case notADatabase
        /// `MDB_VERSION_MISMATCH`: the file or the lock file is of another format version.
        case versionMismatch
        /// `MDB_INCOMPATIBLE`: the table exists with other flags.
        case incompatibleTable
        /// `MDB_INCOMPATIBLE` from a compacting copy: the file has pages that are neither used nor free.
        case pagesLeaked
        /// `MDB_PANIC`: an earlier fatal error (a commit or a sync that the disk failed, a failed remap) ended this
        /// environment; after a failed commit or sync, only its writes.
        case panicked
        /// This process has the directory open already; LMDB's locks do not survive a second opening.
        case alreadyOpen
        /// Anything else: an `errno`, or an LMDB code that none of the above names.
        case system(Int32)
    }

    /// Which failure.
    package let code: Code
    /// The operation that failed, in LMDB's words ("put", "commit", ...).
    package let operation: StaticString

    package init(_ code: Code, during operation: StaticString) {
        self.code = code
        self.operation = operation
    }

    package static func == (a: LMDBError, b: LMDBError) -> Bool { a.code == b.code }

    /// One line: what failed, why, and what to do about it. Never a key or a value.
    package var description: String { "LMDB \(operation): \(code.meaning); \(code.advice)" }
}

extension LMDBError {
    /// Translates a status of LMDB (negative: its own codes; positive: an `errno`).
    @inline(never)
    init(status: Int32, during operation: StaticString) {
        self.init(Code(status: status), during: operation)
    }

    /// Translates a status of a call that takes a table: those say `EINVAL` when the transaction does not know it.
    @inline(never)
    init(tableStatus status: Int32, during operation: StaticString) {
        self = status == EINVAL ? LMDBError(.badTable, during: operation) : LMDBError(status: status, during: operation)
    }

    /// The error of a system call that just failed on this thread.
    @inline(never)
    static func last(during operation: StaticString) -> LMDBError {
        LMDBError(status: errno, during: operation)
    }
}

extension LMDBError.Code {
    init(status: Int32) {
        self =
            switch status {
            case MDB_MAP_FULL: .mapFull
            case MDB_MAP_RESIZED: .mapResized
            case MDB_READERS_FULL: .readersFull
            case ENOSPC, EDQUOT: .diskFull
            case MDB_TXN_FULL: .transactionFull
            case MDB_DBS_FULL: .tablesFull
            case MDB_BAD_VALSIZE: .badValueSize
            case MDB_KEYEXIST: .keyNotInOrder
            case MDB_BAD_TXN: .badTransaction
            case MDB_BAD_DBI: .badTable
            case MDB_BAD_RSLOT: .badReaderSlot
            case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: .corrupted
            case MDB_INVALID: .notADatabase
            case MDB_VERSION_MISMATCH: .versionMismatch
            case MDB_INCOMPATIBLE: .incompatibleTable
            case MDB_PANIC: .panicked
            default: .system(status)
            }
    }

    /// What happened, as a clause.
    var meaning: String {
        switch self {
        case .mapFull: "the data file has reached the size of the memory map"
        case .mapResized: "another process grew the data file beyond our memory map"
        case .readersFull: "all reader slots are taken"
        case .diskFull: "no space is left on the file system"
        case .transactionFull: "the transaction has too many changed pages"
        case .tablesFull: "too many tables are open"
        case .badValueSize:
            "a key is empty or longer than \(KeyEncoder.byteCountMax) bytes, or a value is 4 GiB or longer"
        case .keyNotInOrder: "an appended key does not sort after the last key of the table"
        case .badTransaction: "an earlier operation of this transaction failed"
        case .badTable: "the table is not known to this transaction"
        case .badReaderSlot: "the reader slot of a transaction was taken away"
        case .corrupted: "the data file is damaged"
        case .notADatabase: "data.mdb is not an LMDB file or its first pages are damaged"
        case .versionMismatch: "the files have another format version than this library"
        case .incompatibleTable: "the table exists with other flags"
        case .pagesLeaked: "the file has pages that are neither used nor free"
        case .panicked: "an earlier fatal error ended this environment"
        case .alreadyOpen: "this process has the directory open already"
        case .system(let status): String(cString: mdb_strerror(status))
        }
    }

    /// What the operator or the programmer should do, as a sentence without its full stop.
    var advice: String {
        switch self {
        case .mapFull: "raise the limit of the map size, or call growMap and repeat the transaction"
        case .mapResized: "end this thread's transactions and begin again"
        case .readersFull: "raise maxReaders, or find out who keeps read transactions open"
        case .diskFull: "free some space; reads go on, and writes work again as soon as there is room"
        case .transactionFull: "split the work into several transactions"
        case .tablesFull: "raise maxTables"
        case .badValueSize: "shorten the key (hash its tail) or split the value"
        case .keyNotInOrder: "use put for keys that do not ascend"
        case .badTransaction: "abort it and repeat the work in a new one"
        case .badTable: "open tables before the transactions that use them begin"
        case .badReaderSlot: "do not use an environment across fork"
        case .corrupted, .notADatabase: "stop, keep the files for inspection, and restore from a backup or another node"
        case .versionMismatch: "use the version of liblmdb that wrote the files, or copy the data over with its tools"
        case .incompatibleTable: "open the table under another name"
        case .pagesLeaked: "copy without compacting"
        case .panicked: "restart the process; the last committed state is intact"
        case .alreadyOpen: "share the one environment within the process"
        case .system(ENOMEM): "lower the size of the map, or raise the limit of the process's address space"
        case .system: "check that the directory exists, belongs to this user and is on a healthy local disk"
        }
    }
}
