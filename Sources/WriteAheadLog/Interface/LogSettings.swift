/// Whose log it is. A log of another node or cluster is refused.
package struct LogIdentity: Hashable, Sendable {
    package let cluster: UInt64
    package let node: UInt64

    package init(cluster: UInt64, node: UInt64) {
        self.cluster = cluster
        self.node = node
    }
}

package struct LogSettings: Hashable, Sendable {
    /// Size of a segment, in bytes; a multiple of 4,096. The largest entry must fit into one, see ``payloadByteCountMax``.
    package var segmentByteCount = 64 << 20
    /// Entries kept in memory for followers that are a little behind, in bytes.
    package var cacheByteCount = 16 << 20
    /// How much ``WriteAheadLog/prefetch(from:)`` reads back at once, in bytes.
    package var prefetchByteCount = 4 << 20
    /// Segments that lay behind damage and are kept for a person to look at; the newest stay.
    package var setAsideMax = 4

    #if CONCLAVE_MUTANTS
    package var plantedFault: PlantedLogFault?
    func isPlanted(_ fault: PlantedLogFault) -> Bool { plantedFault == fault }
    #else
    @inline(__always) func isPlanted(_ fault: PlantedLogFault) -> Bool { false }
    #endif

    package init() {}

    /// Longest payload of a command that a segment takes, in bytes.
    package var payloadByteCountMax: Int {
        segmentByteCount - SegmentHeader.byteCount - 2 * Record.headerByteCount - EntryCoding.commandPrefixByteCount - 8
    }
}

/// Small wrong versions of the log, to prove that its tests and the simulator notice (`reference/raft.md` §3.4). Built in at the one place
/// where the rule is kept, as `isPlanted(.theFault)`; the check exists only in builds with the define `CONCLAVE_MUTANTS`.
package enum PlantedLogFault: String, CaseIterable, Sendable {
    /// A sync is reported and not made.
    case syncSkipped
    /// The checksum of a record's payload is not compared.
    case tornRecordAccepted
    /// A record is taken although it does not follow the one before it.
    case chainNotChecked
    /// Checksums do not depend on the segment's nonce: what an earlier life of the file left behind is taken.
    case staleRecordAccepted
    /// Damage before the last sync is cut off like a torn tail.
    case corruptionTreatedAsTornTail
    /// Term and vote are kept in memory only.
    case hardStateNotWritten
    /// The mark of a truncation is not written.
    case truncationForgotten
    /// The beginning of a write counts although its end is missing.
    case partOfWriteAccepted
    /// A segment gets its name before its header is on disk.
    case segmentNotSyncedBeforeRename
    /// The name of a new segment is not put on disk before the segment is used.
    case directoryNotSynced
    /// A segment is dropped although it holds the last entry that is still needed.
    case compactsOneTooFar
    /// Segments are dropped before the log says that they may be missing.
    case oldestNotMarked
    /// The commit hint says that everything written is committed.
    case commitHintTooHigh
    /// A new segment does not carry term and vote over.
    case hardStateNotCarriedOver
    /// The boundary of an installed snapshot is not written.
    case resetNotWritten
}
