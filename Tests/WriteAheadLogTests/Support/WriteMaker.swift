@testable import Raft

@testable import WriteAheadLog

/// A small seeded generator (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Makes writes as a core could: each fits the log that the writes before it make.
struct WriteMaker {
    private var sequence: UInt64 = 0
    private var generation: UInt64 = 0

    mutating func write(for model: LogModel, _ random: inout SplitMix) -> LogWrite {
        sequence += 1
        var write = LogWrite(
            sequence: WriteSequence(sequence), hardState: nil, reset: nil, truncateFrom: nil, entries: [], commit: model.commit, endsRecovery: false)
        var term = model.hardState.term
        if random.chance(15) || term == .zero {
            term = Term(term.raw + 1 + UInt64(random.below(2)))
            write.hardState = HardState(term: term, vote: random.chance(50) ? NodeID(UInt64(1 + random.below(5))) : nil)
        }
        var last = model.lastID
        if random.chance(3) {
            last = EntryID(term: term, index: last.index + (1 + random.below(20)))
            write.reset = snapshot(last, &random)
            write.commit = max(write.commit, last.index)
        } else if random.chance(10), model.lastID.index > max(model.commit, model.base.index) {
            let first = max(model.commit, model.base.index).next
            let index = first + random.below(Int(model.lastID.index.distance(from: first)) + 1)
            write.truncateFrom = index
            last = model.entries.last { $0.index < index }?.id ?? model.base
        }
        if random.chance(80) {
            for _ in 0...random.below(4) {
                last = EntryID(term: term, index: last.index.next)
                write.entries.append(entry(last, &random))
            }
        }
        if random.chance(40), last.index > write.commit { write.commit = write.commit + (1 + random.below(Int(last.index.distance(from: write.commit)))) }
        return write
    }

    private mutating func entry(_ id: EntryID, _ random: inout SplitMix) -> Entry {
        switch random.below(20) {
        case 0: return Entry(id: id, body: .noop)
        case 1: return Entry(id: id, body: .membership(membership(&random)))
        default:
            // Few lengths, so that records of different writes often lie at the same places.
            let count = random.chance(5) ? random.below(3_000) : [0, 16, 16, 16, 160][random.below(5)]
            let payload = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let command = Command(payload, onlyIfTerm: random.chance(10) ? id.term : nil, featureLevel: UInt16(random.below(3)))
            return Entry(id: id, body: .command(command))
        }
    }

    private mutating func membership(_ random: inout SplitMix) -> Membership {
        generation += 1
        let voters = (1...(1 + random.below(5))).map { NodeID(UInt64($0)) }
        return Membership(
            voters: voters, outgoing: random.chance(30) ? [NodeID(9)] : [], learners: random.chance(30) ? [NodeID(7), NodeID(8)] : [],
            generation: generation, featureLevel: UInt16(random.below(2)))
    }

    private mutating func snapshot(_ last: EntryID, _ random: inout SplitMix) -> SnapshotMeta {
        SnapshotMeta(
            image: SnapshotImage(last: last, fingerprint: random.next()), membership: membership(&random), membershipIndex: last.index.previous,
            byteCount: random.next() >> 40, contentHash: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
}
