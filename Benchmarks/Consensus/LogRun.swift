import Raft
import WriteAheadLog

/// The log alone: writers that each submit one entry and wait until it is on disk, beside the bare loop on the same disk.
///
/// What waits while the disk syncs goes out together, so with everybody always waiting one batch holds one entry of each writer, and is
/// synced once. The bare loop writes as many bytes for each batch as the log does, records' headers included, and syncs once too, into
/// 64 MiB that are there and full of zeros, as the log's segments are. What it does not do is the log's own work and all of it counts:
/// encoding, checksums, the places and the newest entries kept in memory, hints of what is committed, turning from one segment to the
/// next, and dropping old ones as often as a checkpoint would. Only the first two segments are made before the clock starts: a log
/// that is compacted uses its files again.
///
/// Log and bare loop take turns in short slices, for a shared disk changes its mind from second to second.
struct LogRun {
    struct Outcome {
        var entries = 0
        var nanoseconds: UInt64 = 0
        var bareEntries = 0
        var bareNanoseconds: UInt64 = 0
        /// For each batch, how long its writers waited; ascending.
        var waits: [UInt64] = []
    }

    private static let slices: UInt64 = 16
    /// Batches that are made before the clock starts: making them is the core's work.
    private static let batchesAhead = 32
    /// The state machine's checkpoints come at this distance at least (`reference/raft.md` §2.7), and the log is cut there.
    private static let checkpointByteCount = 8 << 20

    /// What surrounds a payload in the log: a record's header and what stands before a command.
    private static let envelopeByteCount = 56

    private let writers: Int
    private let payloadByteCount: Int
    private let log: WriteAheadLog<PosixLogDirectory>
    private let bare: BareLoop
    private var source: WriteSource
    private var byteCountSinceCheckpoint = 0
    private var batchByteCount: Int { writers * (Self.envelopeByteCount + payloadByteCount) }

    init(writers: Int, payloadByteCount: Int, directory: String) throws {
        self.writers = writers
        self.payloadByteCount = payloadByteCount
        var random = SystemRandomNumberGenerator()
        let identity = LogIdentity(cluster: 1, node: 1)
        log = try WriteAheadLog.open(PosixLogDirectory(path: directory), identity: identity, settings: LogSettings(), nonces: { random.next() }).0
        bare = try BareLoop(directory: directory)
        source = try WriteSource(payloadByteCount: payloadByteCount)
        try log.append(source.election())
        _ = try log.sync()
        try log.prepare()
    }

    mutating func run(nanoseconds: UInt64) throws -> Outcome {
        var outcome = Outcome()
        for _ in 0..<Self.slices {
            let slice = nanoseconds / 2 / Self.slices
            try runLog(nanoseconds: slice, &outcome)
            let bare = try bare.run(batchByteCount: batchByteCount, nanoseconds: slice)
            outcome.bareEntries += bare.batches * writers
            outcome.bareNanoseconds += bare.nanoseconds
        }
        outcome.waits.sort()
        return outcome
    }

    private mutating func runLog(nanoseconds: UInt64, _ outcome: inout Outcome) throws {
        let clock = ContinuousClock()
        var spent: UInt64 = 0
        while spent < nanoseconds {
            let batches = (0..<Self.batchesAhead).map { _ in source.next(entryCount: writers) }
            for batch in batches {
                let start = clock.now
                try log.append(batch)
                _ = try log.sync()
                outcome.waits.append((clock.now - start).nanoseconds)
                byteCountSinceCheckpoint += batchByteCount
                if byteCountSinceCheckpoint >= Self.checkpointByteCount, let entry = batch.last(where: { !$0.entries.isEmpty })?.entries.last {
                    byteCountSinceCheckpoint = 0
                    try log.compact(before: entry.index)
                }
                spent += (clock.now - start).nanoseconds
            }
            outcome.entries += Self.batchesAhead * writers
        }
        outcome.nanoseconds += spent
    }
}

extension LogRun.Outcome {
    func cells(writers: Int, payloadByteCount: Int) -> [String] {
        let perSecond = Double(entries) / (Double(nanoseconds) / 1e9)
        let barePerSecond = Double(bareEntries) / (Double(bareNanoseconds) / 1e9)
        func microseconds(_ share: Double) -> String { Report.whole(Double(waits[Int(Double(waits.count - 1) * share)]) / 1_000) }
        return [
            "log", Report.bytes(payloadByteCount), "\(writers)", Report.whole(perSecond), microseconds(0.5), microseconds(0.99),
            Report.whole(barePerSecond), Report.hundredths(perSecond / barePerSecond), "", "", "",
        ]
    }
}
