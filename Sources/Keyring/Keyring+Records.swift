internal import OpenSSL

/// Metadata records in LMDB and entries of the replicated log, sealed under the domain key of a term.
extension Keyring {
    private static let recordFormat: UInt8 = 1
    private static let termOffset = 1
    private static let revisionOffset = 5
    private static let saltOffset = 13
    private static let nonceOffset = saltOffset + MessageWrap.saltByteCount
    private static let ciphertextOffset = nonceOffset + AESGCM.nonceByteCount

    /// Seals one row of a table: `format | term (4) | revision (8) | salt (16) | nonce (12) | ciphertext | tag`.
    ///
    /// The same arguments give the same bytes on every node, because `apply` must: salt and nonce are a keyed hash of everything
    /// that goes in. They repeat only when the whole row repeats, revision included, so no key and nonce ever meet two plaintexts.
    ///
    /// - Parameters:
    ///   - table: Name of the table; a row moved to another table does not open.
    ///   - key: Primary key of the row; a row moved to another key does not open.
    ///   - revision: Grows with each write of the row.
    ///   - term: Domain key term, as carried by the mutation.
    /// - Throws: ``KeyringError/unknownKey(reference:)`` for a term that this keyring does not hold.
    package func sealRecord(
        _ plaintext: RawSpan, table: String, key: RawSpan, revision: UInt64, term: UInt32
    ) throws(KeyringError) -> [UInt8] {
        let domain = try domainKey(term: term)
        let aad = recordAssociatedData(domain, table: table, key: key, revision: revision)
        var saltInput = aad
        saltInput.appendField(plaintext)
        let synthetic = domain.recordSalt.authenticate(saltInput.span.bytes).bytes

        var blob: [UInt8] = [Self.recordFormat]
        blob.reserveCapacity(Self.ciphertextOffset + plaintext.byteCount + AESGCM.tagByteCount)
        blob.appendBigEndian(term)
        blob.appendBigEndian(revision)
        blob += synthetic.prefix(MessageWrap.saltByteCount + AESGCM.nonceByteCount)
        let salt = synthetic.span.bytes.extracting(0..<MessageWrap.saltByteCount)
        let nonce = synthetic.span.bytes.extracting(MessageWrap.saltByteCount..<(MessageWrap.saltByteCount + AESGCM.nonceByteCount))
        AESGCM.seal(plaintext, key: domain.wrapping.messageKey(.record, salt: salt), nonce: nonce, aad: aad.span.bytes, appendingTo: &blob)
        return blob
    }

    /// Opens a row of ``sealRecord(_:table:key:revision:term:)``.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` for a row from elsewhere or an altered one; ``KeyringError/unknownKey(reference:)``.
    package func openRecord(_ sealed: RawSpan, table: String, key: RawSpan) throws(KeyringError) -> [UInt8] {
        guard sealed.byteCount >= Self.ciphertextOffset + AESGCM.tagByteCount, let revision = recordRevision(sealed) else { throw .notAuthentic }
        let term = sealed.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: Self.termOffset, as: UInt32.self)) }
        let domain = try domainKey(term: term)
        let aad = recordAssociatedData(domain, table: table, key: key, revision: revision)
        let messageKey = domain.wrapping.messageKey(.record, salt: sealed.extracting(Self.saltOffset..<Self.nonceOffset))
        let ciphertext = sealed.extracting(Self.ciphertextOffset..<sealed.byteCount)
        let nonce = sealed.extracting(Self.nonceOffset..<Self.ciphertextOffset)
        var isAuthentic = false
        let plaintext = [UInt8](unsafeUninitializedCapacity: ciphertext.byteCount - AESGCM.tagByteCount) { buffer, count in
            do throws(CryptoError) {
                count = try AESGCM.open(ciphertext, key: messageKey, nonce: nonce, aad: aad.span.bytes, into: UnsafeMutableRawBufferPointer(buffer))
                isAuthentic = true
            } catch {
                count = 0
            }
        }
        guard isAuthentic else { throw .notAuthentic }
        return plaintext
    }

    /// The revision that a sealed row claims; it is authenticated when the row is opened. `nil` if these bytes are no row.
    package func recordRevision(_ sealed: RawSpan) -> UInt64? {
        sealed.withUnsafeBytes { bytes in
            guard bytes.count >= Self.saltOffset, bytes[0] == Self.recordFormat else { return nil }
            return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: Self.revisionOffset, as: UInt64.self))
        }
    }

    private func recordAssociatedData(_ domain: DomainKey, table: String, key: RawSpan, revision: UInt64) -> [UInt8] {
        var aad = AssociatedData(cluster: clusterID, purpose: .record, keyReference: domain.wrapping.reference)
        aad.append(table)
        aad.append(key)
        aad.append(revision)
        return aad.bytes
    }

    /// Seals an entry of the replicated log. Done once, by the node that proposes: each call gives other bytes.
    package func sealLogEntry(_ plaintext: RawSpan) -> [UInt8] {
        guard let domain = try? domainKey(term: currentTerm) else { preconditionFailure("init took the current term from the keys it holds") }
        return MessageWrap.seal(plaintext, under: domain.wrapping, cluster: clusterID, purpose: .logEntry) { _ in }
    }

    /// Opens an entry of ``sealLogEntry(_:)``.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` for an entry of another cluster or an altered one; ``KeyringError/unknownKey(reference:)``.
    package func openLogEntry(_ sealed: RawSpan) throws(KeyringError) -> [UInt8] {
        let entry = try MessageWrap.open(sealed, cluster: clusterID, purpose: .logEntry, find: { domainKeysByReference[$0] }) { _ in }
        return entry.withUnsafeBytes { [UInt8]($0) }
    }
}
