package import Keyring

/// Images on disk, without a state to install them in. Safe from any thread.
package enum SnapshotFile {
    /// Reads header and attachment, which are authentic; nothing is known about the rest of the file.
    package static func readHead(_ path: String, keyring: Keyring) throws(SnapshotError) -> SnapshotHead {
        try SnapshotReader(path: path, keyring: keyring).head
    }

    /// Reads the whole file and checks everything that ``SecretStore/install(snapshot:)`` does but for partition and region. Holds one
    /// frame at a time in memory.
    package static func verify(_ path: String, keyring: Keyring) throws(SnapshotError) -> SnapshotSummary {
        let reader = try SnapshotReader(path: path, keyring: keyring)
        do {
            return try reader.readRows { _, _, _ in }
        } catch let error as SnapshotError {
            throw error
        } catch {
            preconditionFailure("a visitor that does nothing throws nothing else")
        }
    }
}
