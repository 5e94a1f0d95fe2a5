/// How often each thing happened, to tell a run that tested something from one that did not.
package struct DiskCounts: Hashable, Sendable {
    /// Calls of all kinds that processes made.
    package var operations = 0
    package var writes = 0
    package var bytesWritten = 0
    package var fileSyncs = 0
    package var directorySyncs = 0

    package var crashes = 0
    /// Un-synced writes that a power cut left whole, in part, or not at all.
    package var keptWrites = 0
    package var tornWrites = 0
    package var lostWrites = 0
    /// Writes that stopped half-way because their process was killed.
    package var shortWrites = 0
    /// Un-synced creations, renamings and removals.
    package var keptNames = 0
    package var lostNames = 0
    /// Files that a power cut left shorter than they were made, because they had never been synced.
    package var shortFiles = 0

    /// Calls that failed as planned, and creations that did not fit.
    package var failures = 0
    package var flippedBits = 0
    package var zeroedSectors = 0
    package var staleSectors = 0
    package var truncatedFiles = 0
    package var misdirectedWrites = 0
    package var droppedWrites = 0
    package var wipes = 0
    package var restores = 0

    package init() {}
}
