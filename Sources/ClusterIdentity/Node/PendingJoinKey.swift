package import Keyring
package import OpenSSL

/// The key of a node that has asked to join and has no identity yet, kept under the node's seal: a node that stops in the middle
/// asks again with the same key, and gets the answer that was lost.
package enum PendingJoinKey {
    private static let context = Array("conclave-pending-join-1".utf8)

    /// The key in that file; a new one, durably written first, if there is no file.
    ///
    /// - Throws: ``KeyringError``: `file`, or `wrongSeal` for a key under another seal. `CertificateError` for a key that cannot be made.
    package static func loadOrMake(path: String, seal: some Seal) throws -> PrivateKey {
        if PrivateFile.exists(path) {
            let wrapped = try PrivateFile.read(path).withUnsafeBytes { [UInt8]($0) }
            return try PrivateKey(pem: try seal.unwrap(wrapped, context: context))
        }
        let key = try PrivateKey.generateP256()
        let wrapped = try seal.wrap(try key.pem(), context: context)
        try PrivateFile.write(wrapped.span.bytes, to: path)
        return key
    }

    /// Removes the file, once the identity is written. Does nothing where there is none.
    ///
    /// - Throws: ``KeyringError/file(_:)``.
    package static func remove(path: String) throws(KeyringError) { try PrivateFile.remove(path) }
}
