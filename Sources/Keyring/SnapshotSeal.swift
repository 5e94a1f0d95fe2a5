internal import OpenSSL

/// Images of the state, sealed frame by frame under the domain key of a term.
///
/// The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance,
/// 2015): one key per image, from a salt of its own; the frame's number is the nonce; number and last flag are authenticated. So a
/// frame opens only in its place in its image, and an image without its last frame is known to be cut.
extension Keyring {
    /// Length of the salt that makes the key of an image, in bytes.
    package static let snapshotSaltByteCount = MessageWrap.saltByteCount

    /// Begins an image under the domain key of the current term.
    ///
    /// - Parameter header: Makes the image's clear header, which every frame authenticates, from the term and the fresh salt.
    package func sealSnapshot(header: (_ term: UInt32, _ salt: [UInt8]) -> [UInt8]) -> SnapshotSealer {
        guard let domain = try? domainKey(term: currentTerm) else { preconditionFailure("init took the current term from the keys it holds") }
        let salt = SecureRandom.bytes(Self.snapshotSaltByteCount)
        return SnapshotSealer(SnapshotFrames(domain.wrapping, cluster: clusterID, salt: salt, header: header(currentTerm, salt)))
    }

    /// Begins to read an image whose header names that term and salt.
    ///
    /// - Throws: ``KeyringError/unknownKey(reference:)`` for a term that this keyring does not hold.
    package func openSnapshot(header: [UInt8], term: UInt32, salt: [UInt8]) throws(KeyringError) -> SnapshotOpener {
        SnapshotOpener(SnapshotFrames(try domainKey(term: term).wrapping, cluster: clusterID, salt: salt, header: header))
    }
}

/// Seals the frames of one image, in order. Counts them itself, so that no nonce is ever used twice.
package struct SnapshotSealer: ~Copyable {
    private var frames: SnapshotFrames

    fileprivate init(_ frames: consuming SnapshotFrames) { self.frames = frames }

    /// The header, as it was made.
    package var header: [UInt8] { frames.header }

    /// Appends ciphertext and tag of the next frame to `output`.
    package mutating func seal(_ plaintext: RawSpan, isLast: Bool, appendingTo output: inout [UInt8]) {
        let (nonce, aad) = frames.next(isLast: isLast)
        AESGCM.seal(plaintext, key: frames.key, nonce: nonce.span.bytes, aad: aad.span.bytes, appendingTo: &output)
    }
}

/// Opens the frames of one image, in order.
package struct SnapshotOpener: ~Copyable {
    /// How much longer a sealed frame is than its plaintext, in bytes.
    package static let overheadByteCount = AESGCM.tagByteCount

    private var frames: SnapshotFrames

    fileprivate init(_ frames: consuming SnapshotFrames) { self.frames = frames }

    /// Opens the next frame.
    ///
    /// - Throws: ``KeyringError/notAuthentic`` for anything but that frame of that image, with that flag.
    package mutating func open(_ sealed: RawSpan, isLast: Bool) throws(KeyringError) -> [UInt8] {
        let (nonce, aad) = frames.next(isLast: isLast)
        guard sealed.byteCount >= AESGCM.tagByteCount else { throw .notAuthentic }
        var isAuthentic = false
        let plaintext = [UInt8](unsafeUninitializedCapacity: sealed.byteCount - AESGCM.tagByteCount) { buffer, count in
            do throws(CryptoError) {
                count = try AESGCM.open(
                    sealed, key: frames.key, nonce: nonce.span.bytes, aad: aad.span.bytes, into: UnsafeMutableRawBufferPointer(buffer))
                isAuthentic = true
            } catch {
                count = 0
            }
        }
        guard isAuthentic else { throw .notAuthentic }
        return plaintext
    }
}

/// Key, place and count of the frames of one image.
private struct SnapshotFrames: ~Copyable {
    let key: SecretBytes
    let header: [UInt8]
    private let imageAssociatedData: AssociatedData
    private var count: UInt64 = 0
    private var isEnded = false

    init(_ domain: WrappingKey, cluster: String, salt: [UInt8], header: [UInt8]) {
        key = domain.messageKey(.snapshot, salt: salt.span.bytes)
        self.header = header
        var aad = AssociatedData(cluster: cluster, purpose: .snapshot, keyReference: domain.reference)
        aad.append(salt.span.bytes)
        aad.append(header.span.bytes)
        imageAssociatedData = aad
    }

    /// Nonce and associated data of the next frame.
    mutating func next(isLast: Bool) -> (nonce: [UInt8], aad: [UInt8]) {
        precondition(!isEnded, "nothing follows the last frame of an image")
        isEnded = isLast
        var nonce: [UInt8] = [0, 0, 0, 0]
        nonce.appendBigEndian(count)
        var aad = imageAssociatedData
        aad.append(count)
        aad.append(isLast ? 1 : 0)
        count += 1
        return (nonce, aad.bytes)
    }
}
