@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

@Suite("The log, damaged where it was synced")
struct DamageTests {
    /// Flips a bit somewhere in a segment, dies and looks what is made of it.
    static func damage(_ lives: inout LogLives) throws {
        lives.disk.cancelPlannedFaults()
        // Everything synced, and the mark of it on the medium.
        if try lives.log.sync() != nil {}
        try lives.log.mark()
        lives.synced = lives.newest
        lives.unsynced = []
        let segments = lives.log.segments
        let segment = segments[lives.random.below(segments.count)]
        let end = segment.sequence == segments.last?.sequence ? lives.log.bufferStart : LogLives.segmentByteCount
        lives.disk.crash(.powerKeepingAll, rng: &lives.random)
        lives.disk.flipBit(lives.random.below(8), of: segment.name, at: SegmentHeader.byteCount + lives.random.below(max(1, end - SegmentHeader.byteCount)))
        let (log, recovered) = try LogLives.open(lives.disk, lives.settings, &lives.random)
        let model = lives.synced
        guard recovered.isDamaged else {
            // Padding, or what lies behind the seal: nothing was lost.
            if let difference = model.difference(from: log, recovered) { throw LogLives.Failure(description: "unnoticed: \(difference)") }
            return
        }
        // Nothing of term and vote is lost: both copies would have to be damaged.
        if recovered.hardState != model.hardState { throw LogLives.Failure(description: "\(recovered.hardState), not \(model.hardState)") }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `damage to what was synced is told from a torn write, and takes no vote back`(_ seed: UInt64) throws {
        var lives = try LogLives(seed: seed)
        try lives.run(lives: 3)
        try Self.damage(&lives)
    }

    @Test func `the mark of damage stays until the log is whole again, through restarts`() throws {
        var seen = 0
        for seed in 0..<60 as Range<UInt64> {
            var lives = try LogLives(seed: seed)
            try lives.run(lives: 2)
            try Self.damage(&lives)
            lives.disk.crash(.powerLosingAll, rng: &lives.random)
            var (log, recovered) = try LogLives.open(lives.disk, lives.settings, &lives.random)
            guard recovered.isDamaged else { continue }
            seen += 1
            let last = recovered.lastIndex
            var write = LogWrite(
                sequence: WriteSequence(1), hardState: HardState(term: Term(1_000), vote: nil), reset: nil, truncateFrom: nil,
                entries: [Entry(id: EntryID(term: Term(1_000), index: last.next), body: .noop)], commit: .zero, endsRecovery: false)
            try log.append([write])
            _ = try log.sync()
            lives.disk.crash(.powerLosingAll, rng: &lives.random)
            (log, recovered) = try LogLives.open(lives.disk, lives.settings, &lives.random)
            #expect(recovered.isDamaged && recovered.lastIndex == last.next)
            write = LogWrite(
                sequence: WriteSequence(1), hardState: nil, reset: nil, truncateFrom: nil, entries: [], commit: .zero, endsRecovery: true)
            try log.append([write])
            _ = try log.sync()
            lives.disk.crash(.powerLosingAll, rng: &lives.random)
            (log, recovered) = try LogLives.open(lives.disk, lives.settings, &lives.random)
            #expect(!recovered.isDamaged && recovered.lastIndex == last.next && recovered.hardState.term == Term(1_000))
        }
        #expect(seen > 10)
    }
}
