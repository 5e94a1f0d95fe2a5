import OpenSSL

/// Where the state machine stands: one row of the table `meta`, written in the transaction of each applied entry.
struct MachinePosition: Equatable, Sendable {
    private static let format: UInt8 = 1
    static let key = [UInt8]("position".utf8)

    /// Index of the last applied entry; 0 before the first.
    var appliedIndex: UInt64 = 0
    /// Hash over all changes so far: equal on all nodes that have applied the same entries.
    var stateHash: Digest
    /// The number that the next secret gets.
    var nextSecretNumber: UInt64 = 1
    /// The number that the next value gets.
    var nextValueNumber: UInt64 = 1

    /// Before the first entry.
    static let initial = MachinePosition(stateHash: SHA256.hash(RawSpan()))

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.write(Self.format)
        writer.write(appliedIndex)
        writer.write(stateHash)
        writer.write(nextSecretNumber)
        writer.write(nextValueNumber)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return MachinePosition(
                appliedIndex: try reader.number(), stateHash: try reader.digest(), nextSecretNumber: try reader.number(),
                nextValueNumber: try reader.number())
        }
    }

    private init(appliedIndex: UInt64 = 0, stateHash: Digest, nextSecretNumber: UInt64 = 1, nextValueNumber: UInt64 = 1) {
        self.appliedIndex = appliedIndex
        self.stateHash = stateHash
        self.nextSecretNumber = nextSecretNumber
        self.nextValueNumber = nextValueNumber
    }
}
