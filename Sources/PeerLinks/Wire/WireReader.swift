import NIOCore
import Raft

/// Reads the fields of one body, in order. Total: every sequence of bytes gives values or a ``WireError``, and no list is reserved
/// before its length is compared with the bytes that are left.
struct WireReader {
    private var bytes: ByteBuffer

    init(_ bytes: ByteBuffer) { self.bytes = bytes }

    /// The body must end here.
    func finish() throws(WireError) {
        guard bytes.readableBytes == 0 else { throw .trailingBytes }
    }

    mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
        guard let value = bytes.readInteger(as: T.self) else { throw .truncated }
        return value
    }

    /// A number that somebody may add to.
    mutating func counter(_ name: String) throws(WireError) -> UInt64 {
        let value: UInt64 = try integer()
        guard value <= UInt64(Int64.max) else { throw .invalidValue(name) }
        return value
    }

    mutating func flag(_ name: String) throws(WireError) -> Bool {
        switch try integer(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .invalidValue(name)
        }
    }

    /// The length of a list whose elements are at least `elementBytesMin` long each.
    mutating func listCount(elementBytesMin: Int) throws(WireError) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= bytes.readableBytes / elementBytesMin else { throw .truncated }
        return count
    }

    mutating func byteArray() throws(WireError) -> [UInt8] {
        guard let array = bytes.readBytes(length: try listCount(elementBytesMin: 1)) else { throw .truncated }
        return array
    }

    /// Bytes that share the storage of the frame they came in.
    mutating func byteSlice() throws(WireError) -> ByteBuffer {
        guard let slice = bytes.readSlice(length: try listCount(elementBytesMin: 1)) else { throw .truncated }
        return slice
    }

    mutating func text(_ name: String) throws(WireError) -> String {
        let count = Int(try integer(UInt16.self))
        guard count <= WireFormat.textBytesMax else { throw .invalidValue(name) }
        guard let utf8 = bytes.readBytes(length: count) else { throw .truncated }
        guard let text = String(validating: utf8, as: UTF8.self) else { throw .invalidValue(name) }
        return text
    }
}

/// The core's own small types.
extension WireReader {
    mutating func node() throws(WireError) -> NodeID { NodeID(try integer()) }
    mutating func term() throws(WireError) -> Term { Term(try counter("term")) }
    mutating func index() throws(WireError) -> LogIndex { LogIndex(try counter("index")) }
    mutating func instant() throws(WireError) -> Instant { Instant(nanoseconds: try counter("instant")) }
    mutating func incarnation() throws(WireError) -> Incarnation { Incarnation(try integer()) }
    mutating func ticket() throws(WireError) -> Ticket { Ticket(try integer()) }

    mutating func entryID() throws(WireError) -> EntryID {
        let term = try term()
        return EntryID(term: term, index: try index())
    }

    mutating func optionalEntryID() throws(WireError) -> EntryID? { try flag("entry is there") ? try entryID() : nil }

    mutating func readRequestID() throws(WireError) -> ReadRequestID {
        let incarnation = try incarnation()
        return ReadRequestID(incarnation: incarnation, number: try counter("read number"))
    }

    mutating func image() throws(WireError) -> SnapshotImage {
        let last = try entryID()
        return SnapshotImage(last: last, fingerprint: try integer())
    }

    private mutating func nodes() throws(WireError) -> [NodeID] {
        let count = try listCount(elementBytesMin: 8)
        var nodes: [NodeID] = []
        nodes.reserveCapacity(count)
        for _ in 0..<count { nodes.append(try node()) }
        return nodes
    }

    mutating func membership() throws(WireError) -> Membership {
        let voters = try nodes()
        let outgoing = try nodes()
        let learners = try nodes()
        let generation = try counter("generation")
        let membership = Membership(
            voters: voters, outgoing: outgoing, learners: learners, generation: generation, featureLevel: try integer())
        // The initializer sorts: a list that was not sorted would come out other than it was sent.
        guard membership.voters == voters, membership.outgoing == outgoing, membership.learners == learners, membership.isWellFormed else {
            throw .invalidValue("membership")
        }
        return membership
    }

    mutating func command() throws(WireError) -> Command {
        let onlyIfTerm = try flag("term condition") ? try term() : nil
        let featureLevel: UInt16 = try integer()
        return Command(try byteArray(), onlyIfTerm: onlyIfTerm, featureLevel: featureLevel)
    }

    mutating func entry() throws(WireError) -> Entry {
        let id = try entryID()
        switch try integer(UInt8.self) {
        case EntryTag.noop: return Entry(id: id, body: .noop)
        case EntryTag.command: return Entry(id: id, body: .command(try command()))
        case EntryTag.membership: return Entry(id: id, body: .membership(try membership()))
        default: throw .invalidValue("entry kind")
        }
    }

    mutating func refusal() throws(WireError) -> Refusal {
        switch try integer(UInt8.self) {
        case RefusalTag.notLeader: return .notLeader(hint: try flag("hint") ? try node() : nil)
        case RefusalTag.transferring: return .transferring
        case RefusalTag.overloaded: return .overloaded
        case RefusalTag.tooLarge: return .tooLarge
        case RefusalTag.diskStalled: return .diskStalled
        case RefusalTag.featureLevel: return .featureLevel
        case RefusalTag.wrongTerm: return .wrongTerm
        case RefusalTag.superseded: return .superseded
        default: throw .invalidValue("refusal")
        }
    }
}
