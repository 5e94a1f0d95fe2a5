import OpenSSL

/// Where the state machine stands: one row of the table `meta`, written in the transaction of each applied entry.
struct MachinePosition: Equatable, Sendable {
    /// 1 had no term.
    private static let format: UInt8 = 2
    static let key = [UInt8]("position".utf8)

    /// Index of the last applied entry; 0 before the first.
    var appliedIndex: UInt64 = 0
    /// Raft term of that entry; 0 before the first and in the log of a single node, which has no terms.
    var appliedTerm: UInt64 = 0
    /// Hash over all changes so far: equal on all nodes that have applied the same entries.
    var stateHash: Digest
    /// The number that the next secret gets.
    var nextSecretNumber: UInt64 = 1
    /// The number that the next value gets.
    var nextValueNumber: UInt64 = 1

    /// Before the first entry.
    static let initial = MachinePosition(stateHash: SHA256.hash(RawSpan()))

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 72)
        writer.write(Self.format)
        writer.write(appliedIndex)
        writer.write(appliedTerm)
        writer.write(stateHash)
        writer.write(nextSecretNumber)
        writer.write(nextValueNumber)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            let format = try reader.number(UInt8.self)
            guard (1...Self.format).contains(format) else { throw .unknownValue }
            return MachinePosition(
                appliedIndex: try reader.number(), appliedTerm: format == 1 ? 0 : try reader.number(), stateHash: try reader.digest(),
                nextSecretNumber: try reader.number(), nextValueNumber: try reader.number())
        }
    }

    private init(
        appliedIndex: UInt64 = 0, appliedTerm: UInt64 = 0, stateHash: Digest, nextSecretNumber: UInt64 = 1, nextValueNumber: UInt64 = 1
    ) {
        self.appliedIndex = appliedIndex
        self.appliedTerm = appliedTerm
        self.stateHash = stateHash
        self.nextSecretNumber = nextSecretNumber
        self.nextValueNumber = nextValueNumber
    }

    // MARK: Steps

    /// Begins the hash of the state behind the entry at `index`: the previous hash, the entry's index and its term.
    func beginHash(at index: UInt64, term: UInt64) -> SHA256Hasher {
        precondition(index > appliedIndex, "an entry is applied once and in order; a replay begins behind the applied index")
        precondition(term >= appliedTerm, "terms never go back along the log")
        var start: [UInt8] = []
        stateHash.append(to: &start)
        start += StateKeys.number(index)
        start += StateKeys.number(term)
        var hasher = SHA256Hasher()
        hasher.update(start.span.bytes)
        return hasher
    }

    /// Moves to the entry at `index`, after which the state has the hash `hash`.
    mutating func advance(to index: UInt64, term: UInt64, hash: Digest) {
        appliedIndex = index
        appliedTerm = term
        stateHash = hash
    }
}
