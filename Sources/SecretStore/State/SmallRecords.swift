import Keyring

/// An access key as it is stored: the secret half stays wrapped.
package struct StoredAccessKey: Equatable, Sendable {
    package var id: String
    package var account: AccountID
    package var wrappedSecret: [UInt8]
    package var isActive: Bool
    package var createdAt: Timestamp
}

extension StoredAccessKey {
    private static let format: UInt8 = 1

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.write(Self.format)
        writer.write(id)
        writer.write(account)
        writer.write(field: wrappedSecret)
        writer.write(isActive)
        writer.write(createdAt)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return StoredAccessKey(
                id: try reader.text(max: Limits.accessKeyIDBytesMax), account: try reader.account(),
                wrappedSecret: try reader.field(max: Limits.wrappedCredentialBytesMax), isActive: try reader.flag(),
                createdAt: try reader.timestamp())
        }
    }
}

/// An account as it is stored.
struct AccountRecord: Equatable, Sendable {
    private static let format: UInt8 = 1

    var createdAt: Timestamp

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.write(Self.format)
        writer.write(createdAt)
        return writer.bytes
    }
}

/// The rows of values: `format | key reference | wrapped data key | ciphertext`. Not sealed again: both parts are ciphertext
/// that is bound to its place.
enum ValueRow {
    private static let format: UInt8 = 1

    static func encode(_ value: EncryptedValue) -> [UInt8] {
        var writer = ByteWriter(capacity: value.ciphertext.count + value.wrappedDataKey.count + 64)
        writer.write(format)
        writer.write(value.keyReference)
        writer.write(field: value.wrappedDataKey)
        writer.write(raw: value.ciphertext)
        return writer.bytes
    }

    static func decode(_ bytes: RawSpan) throws(DecodingFailure) -> EncryptedValue {
        try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == format else { throw .unknownValue }
            return EncryptedValue(
                keyReference: try reader.text(max: Limits.keyReferenceBytesMax),
                wrappedDataKey: try reader.field(max: Limits.wrappedDataKeyBytesMax),
                ciphertext: try reader.rest(max: Limits.ciphertextBytesMax))
        }
    }
}
