import NIOCore
import Raft

/// Writes the fields that ``WireReader`` reads.
extension ByteBuffer {
    mutating func writeFlag(_ flag: Bool) { writeInteger(flag ? 1 : 0, as: UInt8.self) }

    mutating func writeByteArray(_ bytes: [UInt8]) {
        writeInteger(UInt32(bytes.count))
        writeBytes(bytes)
    }

    mutating func writeByteSlice(_ bytes: ByteBuffer) {
        writeInteger(UInt32(bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }

    /// - Precondition: Not longer than ``WireFormat/textBytesMax``.
    mutating func writeText(_ text: String) {
        precondition(text.utf8.count <= WireFormat.textBytesMax, "texts are checked where they are configured")
        writeInteger(UInt16(text.utf8.count))
        writeString(text)
    }

    mutating func write(_ node: NodeID) { writeInteger(node.raw) }
    mutating func write(_ term: Term) { writeInteger(term.raw) }
    mutating func write(_ index: LogIndex) { writeInteger(index.raw) }
    mutating func write(_ instant: Instant) { writeInteger(instant.nanoseconds) }
    mutating func write(_ incarnation: Incarnation) { writeInteger(incarnation.raw) }
    mutating func write(_ ticket: Ticket) { writeInteger(ticket.raw) }

    mutating func write(_ id: EntryID) {
        write(id.term)
        write(id.index)
    }

    mutating func writeOptional(_ id: EntryID?) {
        writeFlag(id != nil)
        if let id { write(id) }
    }

    mutating func write(_ id: ReadRequestID) {
        write(id.incarnation)
        writeInteger(id.number)
    }

    mutating func write(_ image: SnapshotImage) {
        write(image.last)
        writeInteger(image.fingerprint)
    }

    private mutating func write(_ nodes: [NodeID]) {
        writeInteger(UInt32(nodes.count))
        for node in nodes { write(node) }
    }

    mutating func write(_ membership: Membership) {
        write(membership.voters)
        write(membership.outgoing)
        write(membership.learners)
        writeInteger(membership.generation)
        writeInteger(membership.featureLevel)
    }

    mutating func write(_ command: Command) {
        writeFlag(command.onlyIfTerm != nil)
        if let term = command.onlyIfTerm { write(term) }
        writeInteger(command.featureLevel)
        writeByteArray(command.payload)
    }

    mutating func write(_ entry: Entry) {
        write(entry.id)
        switch entry.body {
        case .noop: writeInteger(EntryTag.noop)
        case .command(let command):
            writeInteger(EntryTag.command)
            write(command)
        case .membership(let membership):
            writeInteger(EntryTag.membership)
            write(membership)
        }
    }

    mutating func write(_ refusal: Refusal) {
        switch refusal {
        case .notLeader(let hint):
            writeInteger(RefusalTag.notLeader)
            writeFlag(hint != nil)
            if let hint { write(hint) }
        case .transferring: writeInteger(RefusalTag.transferring)
        case .overloaded: writeInteger(RefusalTag.overloaded)
        case .tooLarge: writeInteger(RefusalTag.tooLarge)
        case .diskStalled: writeInteger(RefusalTag.diskStalled)
        case .featureLevel: writeInteger(RefusalTag.featureLevel)
        case .wrongTerm: writeInteger(RefusalTag.wrongTerm)
        case .superseded: writeInteger(RefusalTag.superseded)
        }
    }
}
