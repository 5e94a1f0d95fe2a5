import Sessions

/// A command of the simulated state machine, and its bytes in the log.
enum RegisterCommand: Hashable, Sendable {
    /// The level of the cluster's features that compare-and-set needs; programs of level 0 do not know it.
    static let compareAndSetLevel: UInt16 = 1

    /// Opens a session.
    case registration(nonce: UInt64)
    /// Executed once, however often the request comes.
    case write(SessionRequest, key: UInt64, Action)

    enum Action: Hashable, Sendable {
        case put(UInt64)
        case compareAndSet(expected: UInt64, new: UInt64)
    }

    var featureLevel: UInt16 {
        switch self {
        case .registration, .write(_, _, .put): 0
        case .write(_, _, .compareAndSet): Self.compareAndSetLevel
        }
    }

    /// The session that it opens or uses.
    ///
    /// - Parameter index: Of its entry.
    func session(at index: UInt64) -> SessionID {
        switch self {
        case .registration(let nonce): SessionID(registeredAt: index, nonce: nonce)
        case .write(let request, _, _): request.session
        }
    }

    /// - Parameter padding: Bytes without meaning at the end, to make entries of many sizes.
    func encoded(padding: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(57 + padding)
        switch self {
        case .registration(let nonce):
            bytes.append(0)
            bytes.append(word: nonce)
        case .write(let request, let key, .put(let value)):
            bytes.append(1)
            bytes.append(words: request, key, value)
        case .write(let request, let key, .compareAndSet(let expected, let new)):
            bytes.append(2)
            bytes.append(words: request, key, expected)
            bytes.append(word: new)
        }
        bytes.append(contentsOf: repeatElement(0, count: padding))
        return bytes
    }

    /// - Returns: Nil when a program of this feature level does not know such a command.
    init?(_ bytes: [UInt8], level: UInt16) {
        switch bytes.first {
        case 0? where bytes.count >= 9: self = .registration(nonce: bytes.word(at: 1))
        case 1? where bytes.count >= 49: self = .write(bytes.request, key: bytes.word(at: 33), .put(bytes.word(at: 41)))
        case 2? where level >= Self.compareAndSetLevel && bytes.count >= 57:
            self = .write(bytes.request, key: bytes.word(at: 33), .compareAndSet(expected: bytes.word(at: 41), new: bytes.word(at: 49)))
        default: return nil
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(words request: SessionRequest, _ key: UInt64, _ value: UInt64) {
        for word in [request.session.registeredAt, request.session.nonce, request.sequence, request.answeredBelow, key, value] { append(word: word) }
    }

    /// - Precondition: 33 bytes are there.
    fileprivate var request: SessionRequest {
        SessionRequest(
            session: SessionID(registeredAt: word(at: 1), nonce: word(at: 9)), sequence: word(at: 17), answeredBelow: word(at: 25))
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
