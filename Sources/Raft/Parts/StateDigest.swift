/// A 64-bit hash with the same value in every process (FNV-1a over words, with a final mix). Not for security.
package struct StateDigest: Sendable {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Times are folded as distances from here, write sequences as distances from there: states that differ only by when
    /// they happen can then be taken as one by a state explorer.
    private let origin: Instant
    private let sequenceOrigin: WriteSequence

    package init(origin: Instant = .zero, sequenceOrigin: WriteSequence = .zero) {
        self.origin = origin
        self.sequenceOrigin = sequenceOrigin
    }

    package var value: UInt64 {
        var mixed = state
        mixed = (mixed ^ (mixed >> 33)) &* 0xff51_afd7_ed55_8ccd
        mixed = (mixed ^ (mixed >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        return mixed ^ (mixed >> 33)
    }

    package mutating func fold(_ word: UInt64) {
        state = (state ^ word) &* 0x0000_0100_0000_01b3
        state ^= state >> 29
    }

    package mutating func fold(_ flag: Bool) { fold(flag ? 1 : 0) }
    package mutating func fold(_ time: Instant) { fold(time.nanoseconds &- origin.nanoseconds) }
    package mutating func fold(_ sequence: WriteSequence) { fold(sequence.raw &- sequenceOrigin.raw) }

    package mutating func fold(_ id: EntryID) {
        fold(id.term.raw)
        fold(id.index.raw)
    }

    package mutating func fold(_ node: NodeID?) { fold(node.map { $0.raw &+ 1 } ?? 0) }

    package mutating func fold(_ bytes: [UInt8]) {
        fold(UInt64(bytes.count))
        for byte in bytes { fold(UInt64(byte)) }
    }

    package mutating func fold(_ membership: Membership) {
        for nodes in [membership.voters, membership.outgoing, membership.learners] {
            fold(UInt64(nodes.count))
            for node in nodes { fold(node.raw) }
        }
        fold(membership.generation)
        fold(UInt64(membership.featureLevel))
    }

    package mutating func fold(_ entry: Entry) {
        fold(entry.id)
        switch entry.body {
        case .noop: fold(1)
        case .command(let command):
            fold(2)
            fold(command.payload)
            fold(command.onlyIfTerm?.raw ?? .max)
            fold(UInt64(command.featureLevel))
        case .membership(let membership):
            fold(3)
            fold(membership)
        }
    }
}
