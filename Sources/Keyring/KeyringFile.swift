internal import OpenSSL

/// The wrapped keys of a node, as they lie on disk: nothing in it is usable without the seal.
///
///     magic | cluster id | seal kind | root key id | root key under the seal | number of keys | (reference | wrapped key) ...
///
/// Every field is preceded by its length. Keys named `domain/<term>` are wrapped under the root key, all others under a domain key.
struct KeyringFile: Equatable {
    private static let magic = Array("conclave-keyring-1\n".utf8)
    /// Most keys in one file.
    private static let keyCountMax: UInt32 = 100_000

    struct Key: Equatable {
        var reference: String
        var wrapped: [UInt8]
    }

    var clusterID: String
    var sealKind: String
    var rootKeyID: String
    var sealedRootKey: [UInt8]
    var keys: [Key]

    func encode() -> [UInt8] {
        var bytes = Self.magic
        bytes.appendField(clusterID)
        bytes.appendField(sealKind)
        bytes.appendField(rootKeyID)
        bytes.appendField(sealedRootKey.span.bytes)
        bytes.appendBigEndian(UInt32(keys.count))
        for key in keys {
            bytes.appendField(key.reference)
            bytes.appendField(key.wrapped.span.bytes)
        }
        return bytes
    }

    init(clusterID: String, sealKind: String, rootKeyID: String, sealedRootKey: [UInt8], keys: [Key]) {
        self.clusterID = clusterID
        self.sealKind = sealKind
        self.rootKeyID = rootKeyID
        self.sealedRootKey = sealedRootKey
        self.keys = keys
    }

    /// `nil` for bytes that are not a whole keyring of a known format.
    init?(decoding bytes: [UInt8]) {
        var reader = FieldReader(bytes)
        guard reader.take(Self.magic.count).map(Array.init) == Self.magic,
            let clusterID = reader.text(), let sealKind = reader.text(), let rootKeyID = reader.text(),
            let sealedRootKey = reader.field(), let keys = Self.keys(from: &reader), reader.isAtEnd
        else { return nil }
        self.init(clusterID: clusterID, sealKind: sealKind, rootKeyID: rootKeyID, sealedRootKey: sealedRootKey, keys: keys)
    }

    /// The number of keys and the keys; `nil` if there are too many or too few bytes.
    static func keys(from reader: inout FieldReader) -> [Key]? {
        guard let count = reader.number(UInt32.self), count <= keyCountMax else { return nil }
        var keys: [Key] = []
        for _ in 0..<count {
            guard let reference = reader.text(), let wrapped = reader.field() else { return nil }
            keys.append(Key(reference: reference, wrapped: wrapped))
        }
        return keys
    }

    /// What the seal authenticates together with the root key.
    var sealContext: [UInt8] {
        var context: [UInt8] = []
        context.appendField(clusterID)
        context.appendField(rootKeyID)
        return context
    }
}
