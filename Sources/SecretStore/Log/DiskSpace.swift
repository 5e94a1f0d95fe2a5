internal import Glibc
internal import Synchronization

/// Says whether the disk has room for more mutations, so that they are refused before a node fails to apply one.
///
/// Safe from any thread. Asks the system at most every ``intervalNanoseconds``, so it notices within that time that space ran out or
/// came back.
package final class DiskSpace: Sendable {
    static let intervalNanoseconds: UInt64 = 200_000_000

    private struct Reading {
        var takenAt: UInt64?
        var isLow = false
    }

    private let files: any LogFileSystem
    private let path: String
    private let reserveByteCount: Int
    private let reading = Mutex(Reading())

    /// - Parameter reserveByteCount: Free bytes below which mutations are refused; 0 never refuses.
    init(files: any LogFileSystem, path: String, reserveByteCount: Int) {
        self.files = files
        self.path = path
        self.reserveByteCount = reserveByteCount
    }

    /// Asks the real file system.
    package convenience init(path: String, reserveByteCount: Int) {
        self.init(files: PosixFileSystem(), path: path, reserveByteCount: reserveByteCount)
    }

    /// Free bytes; nil if the file system cannot tell.
    package var freeByteCount: Int? { files.freeByteCount(path) }

    /// Whether less than the reserve is free.
    package var isLow: Bool {
        guard reserveByteCount > 0 else { return false }
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        let now = UInt64(clock.tv_sec) * 1_000_000_000 + UInt64(clock.tv_nsec)
        return reading.withLock { reading in
            if let takenAt = reading.takenAt, now < takenAt + Self.intervalNanoseconds { return reading.isLow }
            reading.takenAt = now
            // A file system that cannot tell is not called full: the write itself will say so.
            reading.isLow = files.freeByteCount(path).map { $0 < reserveByteCount } ?? false
            return reading.isLow
        }
    }
}
