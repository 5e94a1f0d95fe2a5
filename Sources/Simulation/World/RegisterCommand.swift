/// A command of the simulated state machine, and its bytes in the log.
struct RegisterCommand: Hashable, Sendable {
    /// The level of the cluster's features that compare-and-set needs; programs of level 0 do not know it.
    static let compareAndSetLevel: UInt16 = 1

    enum Action: Hashable, Sendable {
        case put(UInt64)
        case compareAndSet(expected: UInt64, new: UInt64)
    }

    let session: UInt64
    let sequence: UInt64
    let key: UInt64
    let action: Action

    var featureLevel: UInt16 {
        switch action {
        case .put: 0
        case .compareAndSet: Self.compareAndSetLevel
        }
    }

    /// - Parameter padding: Bytes without meaning at the end, to make entries of many sizes.
    func encoded(padding: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(41 + padding)
        switch action {
        case .put: bytes.append(1)
        case .compareAndSet: bytes.append(2)
        }
        bytes.append(word: session)
        bytes.append(word: sequence)
        bytes.append(word: key)
        switch action {
        case .put(let value): bytes.append(word: value)
        case .compareAndSet(let expected, let new):
            bytes.append(word: expected)
            bytes.append(word: new)
        }
        bytes.append(contentsOf: repeatElement(0, count: padding))
        return bytes
    }

    /// - Returns: Nil when a program of this feature level does not know such a command.
    init?(_ bytes: [UInt8], level: UInt16) {
        guard bytes.count >= 33 else { return nil }
        session = bytes.word(at: 1)
        sequence = bytes.word(at: 9)
        key = bytes.word(at: 17)
        switch bytes[0] {
        case 1: action = .put(bytes.word(at: 25))
        case 2 where level >= Self.compareAndSetLevel && bytes.count >= 41:
            action = .compareAndSet(expected: bytes.word(at: 25), new: bytes.word(at: 33))
        default: return nil
        }
    }

    init(session: UInt64, sequence: UInt64, key: UInt64, action: Action) {
        self.session = session
        self.sequence = sequence
        self.key = key
        self.action = action
    }
}

/// Little-endian words in bytes.
extension [UInt8] {
    mutating func append(word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// - Precondition: Eight bytes are there.
    func word(at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for position in 0..<8 { word |= UInt64(self[offset + position]) << UInt64(8 * position) }
        return word
    }
}
