import Glibc

/// A read or a write transaction: what ``RawTable`` and ``Table`` need to read.
///
/// Written `borrowing some Transaction & ~Copyable` in functions that read from either kind.
package protocol Transaction: ~Copyable {
    /// For this module only.
    var handle: TransactionHandle { get }
}

/// The C side of a transaction; opaque outside of this module.
package struct TransactionHandle {
    @usableFromInline let pointer: OpaquePointer
    /// Tells environments apart, so that a table is not used in a transaction of another environment.
    @usableFromInline let environmentID: UInt32

    @usableFromInline
    init(pointer: OpaquePointer, environmentID: UInt32) {
        self.pointer = pointer
        self.environmentID = environmentID
    }
}

/// A snapshot of the environment, valid inside the closure that ``Environment/read(_:)`` calls.
///
/// Noncopyable and lent only, so it cannot be kept; spans that come out of it live as long as the loan.
/// Stays on the thread that runs the closure.
package struct ReadTransaction: ~Copyable, Transaction {
    package let handle: TransactionHandle

    init(handle: TransactionHandle) { self.handle = handle }
}

/// The one transaction at a time that changes the environment.
///
/// Reading borrows it, changing it needs it exclusively (`inout`): LMDB may move a page with the next change, and so
/// the compiler ends every span that was read before. Consumed by ``commit()`` or ``abort()``; aborts when dropped.
/// Must be used and ended on the thread that began it (LMDB's writer lock belongs to the thread).
package struct WriteTransaction: ~Copyable, Transaction {
    package let handle: TransactionHandle
    /// Retained by ``Environment/beginWrite()``, released when the transaction ends; unmanaged because `discard self`
    /// wants trivial fields.
    let environment: Unmanaged<Environment>
    /// The first failure after which LMDB refuses to commit; `commit` reports it instead of "bad transaction".
    private(set) var failure: LMDBError?

    init(handle: TransactionHandle, environment: Unmanaged<Environment>) {
        self.handle = handle
        self.environment = environment
    }

    /// Makes the changes visible and durable (as far as the environment's durability goes), and ends the transaction.
    ///
    /// - Throws: The first failure of an operation of this transaction, or what the commit met: nothing is changed
    ///   then. ``LMDBError/Code/diskFull`` leaves the environment usable; a disk that fails (`EIO`) ends its writes.
    package consuming func commit() throws(LMDBError) {
        let failure = failure
        let handle = handle
        let environment = environment
        discard self
        if let failure {
            environment._withUnsafeGuaranteedRef { $0.endWrite(aborting: handle.pointer) }
            environment.release()
            throw failure
        }
        let result = environment._withUnsafeGuaranteedRef { $0.endWrite(committing: handle.pointer) }
        environment.release()
        if let result { throw result }
    }

    /// Ends the transaction without any change. The same happens when it is dropped.
    package consuming func abort() {}

    deinit {
        environment._withUnsafeGuaranteedRef { $0.endWrite(aborting: handle.pointer) }
        environment.release()
    }

    /// Notes a failed change and returns its error.
    @inline(never)
    mutating func fail(_ status: Int32, during operation: StaticString) -> LMDBError {
        guard status != EINVAL else { return LMDBError(tableStatus: status, during: operation) }
        let error = environment._withUnsafeGuaranteedRef { $0.error(status: status, during: operation) }
        switch error.code {
        // Refused before anything was changed: the transaction goes on.
        case .badValueSize, .keyNotInOrder, .badTable, .badTransaction: break
        default: if failure == nil { failure = error }
        }
        return error
    }
}
