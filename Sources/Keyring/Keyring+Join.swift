package import OpenSSL

/// The keys of a cluster on their way to a node that joins.
///
///     "conclave-join-keys-1\n" | root key (32) | cluster id | root key id | number of keys | (reference | wrapped key) ...
///
/// The root key is in the clear: only for a channel that is encrypted and whose other end has proved that it may join. The other
/// keys are wrapped under it, and the same on every node.
extension Keyring {
    private static let joinMagic = Array("conclave-join-keys-1\n".utf8)

    /// What ``importFromJoin(_:seal:path:)`` takes. Zeroed with the last reference: keep it for the length of one answer.
    package func exportForJoin() -> SecretBytes {
        var rest: [UInt8] = []
        rest.appendField(clusterID)
        rest.appendField(file.rootKeyID)
        rest.appendBigEndian(UInt32(file.keys.count))
        for key in file.keys {
            rest.appendField(key.reference)
            rest.appendField(key.wrapped.span.bytes)
        }
        return SecretBytes(count: Self.joinMagic.count + root.count + rest.count) { destination in
            destination.copyBytes(from: Self.joinMagic)
            root.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: destination[Self.joinMagic.count...]).copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: destination[(Self.joinMagic.count + root.count)...]).copyBytes(from: rest)
        }
    }

    /// Writes the keyring file of a node that joins: the cluster's keys, under the node's own seal.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` for bytes that ``exportForJoin()`` did not make; ``KeyringError/file(_:)`` when the
    ///   file cannot be written.
    package static func importFromJoin(_ exported: SecretBytes, seal: some Seal, path: String) throws(KeyringError) -> Keyring {
        let keysOffset = joinMagic.count + AESGCM.keyByteCount
        let parts = exported.withUnsafeBytes { bytes -> (root: SecretBytes, rest: [UInt8])? in
            guard bytes.count >= keysOffset, bytes.prefix(joinMagic.count).elementsEqual(joinMagic) else { return nil }
            return (SecretBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[joinMagic.count..<keysOffset])), Array(bytes[keysOffset...]))
        }
        guard let (root, rest) = parts else { throw .notAuthentic }
        var reader = FieldReader(rest)
        guard let clusterID = reader.text(), let rootKeyID = reader.text(), let keys = KeyringFile.keys(from: &reader), reader.isAtEnd else {
            throw .notAuthentic
        }
        var file = KeyringFile(clusterID: clusterID, sealKind: type(of: seal).kind, rootKeyID: rootKeyID, sealedRootKey: [], keys: keys)
        file.sealedRootKey = try seal.wrap(root, context: file.sealContext)
        // Opens every key, so that no file is written that does not.
        let keyring = try Keyring(file, root: root)
        try PrivateFile.write(file.encode().span.bytes, to: path)
        return keyring
    }
}
