package import OpenSSL

/// What an image says of itself in the clear, at its beginning. Authenticated with every frame.
///
///     magic | format (1) | length of the rest (2) | cluster | partition | region | key term (4) | salt (16) | index (8) | term (8) | hash (32)
package struct SnapshotHeader: Equatable, Sendable {
    /// Where the state stands that the image holds.
    package var position: SnapshotPosition
    /// The cluster that the image was taken in.
    package var clusterID: String
    /// Partition and region of the cluster's ARNs.
    package var scope: ARNScope
    /// Term of the domain key that the image is sealed under.
    package var keyTerm: UInt32
    /// Makes the image's key, and tells images of the same state apart.
    package var salt: [UInt8]
}

/// The entry that a state includes as its last one, and the hash of the state.
package struct SnapshotPosition: Equatable, Sendable {
    package var appliedIndex: UInt64
    package var appliedTerm: UInt64
    package var stateHash: Digest
}

extension SnapshotHeader {
    private static let magic = [UInt8]("conclave-snapshot\n".utf8)
    private static let format: UInt8 = 1
    /// Length of what comes before the fields, in bytes.
    static let prefixByteCount = magic.count + 1 + 2
    /// Longest cluster id, in bytes.
    private static let clusterIDBytesMax = 128

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(clusterID)
        writer.write(scope.partition)
        writer.write(scope.region)
        writer.write(keyTerm)
        writer.write(raw: salt)
        writer.write(position.appliedIndex)
        writer.write(position.appliedTerm)
        writer.write(position.stateHash)
        let fields = writer.bytes
        var header = ByteWriter(capacity: Self.prefixByteCount + fields.count)
        header.write(raw: Self.magic)
        header.write(Self.format)
        header.write(UInt16(fields.count))
        header.write(raw: fields)
        return header.bytes
    }

    /// The length of the fields, in bytes, from the first ``prefixByteCount`` bytes of a file.
    ///
    /// - Throws: ``SnapshotError/notASnapshot``, ``SnapshotError/unknownFormat(_:)``.
    static func fieldsByteCount(prefix: [UInt8]) throws(SnapshotError) -> Int {
        guard prefix.count == prefixByteCount, prefix.starts(with: magic) else { throw .notASnapshot }
        guard prefix[magic.count] == format else { throw .unknownFormat(prefix[magic.count]) }
        return Int(prefix[magic.count + 1]) << 8 | Int(prefix[magic.count + 2])
    }

    /// - Throws: ``DecodingFailure`` for bytes that are not the fields of a header. Never traps.
    init(decodingFields bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            let clusterID = try reader.text(max: Self.clusterIDBytesMax)
            let scope = ARNScope(
                partition: try reader.text(max: Limits.regionBytesMax), region: try reader.text(max: Limits.regionBytesMax))
            let keyTerm = try reader.number(UInt32.self)
            let salt = try reader.bytes(SnapshotFormat.saltByteCount)
            let position = SnapshotPosition(
                appliedIndex: try reader.number(), appliedTerm: try reader.number(), stateHash: try reader.digest())
            return SnapshotHeader(position: position, clusterID: clusterID, scope: scope, keyTerm: keyTerm, salt: salt)
        }
    }
}
