import LMDB
import OpenSSL

/// Images of the whole state: for followers that are too far behind, and for backups.
extension SecretStore {
    /// Writes an image of the last commit to a new file, replacing an older file of that name.
    ///
    /// Any thread; writers and other readers go on. One read transaction lasts as long as this does: pages that are freed meanwhile
    /// are not used again, so the data file grows under writes, and a growth of the memory map waits.
    ///
    /// - Parameters:
    ///   - path: One writer at a time per path. Appears when the image is whole and durable; until then its content is in
    ///     `path.partial`, which is removed after an error.
    ///   - isCancelled: Asked about once per MiB.
    ///   - attachment: Bytes for whoever reads the image, at most ``Limits/snapshotAttachmentBytesMax``, made from where the image
    ///     stands.
    /// - Throws: ``SnapshotError`` (see ``SnapshotError/isDiskFull``), `LMDBError`, ``StoreError``, or what `attachment` throws.
    @discardableResult
    package func writeSnapshot(
        to path: String, isCancelled: () -> Bool = { false }, attachment: (SnapshotOrigin) throws -> [UInt8]
    ) throws -> SnapshotSummary {
        try withoutActuallyEscaping(isCancelled) { isCancelled in
            try environment.read { txn in
                let position = try position(in: txn).snapshotPosition
                let bytes = try attachment(SnapshotOrigin(position: position, membership: try membership(in: txn)))
                let writer = try SnapshotWriter(
                    path: path, keyring: keyring, scope: scope, position: position, attachment: bytes, isCancelled: isCancelled)
                for (number, table) in tables.all.enumerated() {
                    try table.raw.forEach(in: txn) { key, value in
                        try writer.add(table: number, key: key, value: value)
                        return .continue
                    }
                }
                return try writer.finish()
            }
        }
    }

    /// Replaces the whole state by an image, in one transaction: readers see the old state until it is done, then the new one, and
    /// a crash leaves one of them.
    ///
    /// The applier's thread only, while it has no transaction open. It may take the state back to an earlier entry: whether that is
    /// wanted, the caller decides. What the caller keeps in memory of the old state (caches, what is visible) is the caller's to drop.
    /// The image is read again when the memory map has to grow.
    ///
    /// - Throws: ``SnapshotError``, `LMDBError`. The old state is untouched then, unless it was the last step that failed (`LMDBError`
    ///   during "sync", after which the environment takes no more writes): only a restart knows then which of the two is on the disk.
    @discardableResult
    package func install(snapshot path: String) throws -> SnapshotSummary {
        let all = tables.all
        let summary = try environment.write { txn in
            let reader = try SnapshotReader(path: path, keyring: keyring)
            try check(reader.head.header.scope)
            for table in all { try table.raw.deleteAll(in: &txn) }
            return try reader.readRows { number, key, value in try all[number].raw.append(key, value, in: &txn) }
        }
        try environment.synchronize()
        return summary
    }

    private func check(_ found: ARNScope) throws(SnapshotError) {
        guard found.partition == scope.partition else {
            throw .foreign(what: "partition", found: found.partition, expected: scope.partition)
        }
        guard found.region == scope.region else { throw .foreign(what: "region", found: found.region, expected: scope.region) }
    }
}

extension MachinePosition {
    var snapshotPosition: SnapshotPosition {
        SnapshotPosition(appliedIndex: appliedIndex, appliedTerm: appliedTerm, stateHash: stateHash)
    }
}
