import LMDB

/// Accounts and access keys.
extension Transition {
    mutating func createAccount(in txn: inout WriteTransaction) throws -> Outcome {
        let key = StateKeys.account(mutation.account)
        guard try !tables.accounts.raw.contains(key.span.bytes, in: txn) else { throw StoreFailure.accountAlreadyExists }
        try seal(tables.accounts, key: key, plaintext: AccountRecord(createdAt: mutation.at).encode(), in: &txn)
        return .done
    }

    mutating func putAccessKey(_ command: PutAccessKey, in txn: inout WriteTransaction) throws -> Outcome {
        let account = StateKeys.account(mutation.account)
        guard try tables.accounts.raw.contains(account.span.bytes, in: txn) else { throw StoreFailure.accountNotFound }
        let old = try store.accessKey(command.id, in: txn)
        guard old == nil || old?.account == mutation.account else { throw StoreFailure.accessKeyInOtherAccount }
        let key = StoredAccessKey(
            id: command.id, account: mutation.account, wrappedSecret: command.wrappedSecret, isActive: command.isActive,
            createdAt: old?.createdAt ?? mutation.at)
        try seal(tables.accessKeys, key: StateKeys.accessKey(command.id), plaintext: key.encode(), in: &txn)
        return .done
    }
}
