import Synchronization

/// The thread that does small things at intervals: it writes access dates down and removes secrets whose deletion is due.
package final class Housekeeping: Sendable {
    /// Time between flushes of access dates, in milliseconds.
    private static let intervalMilliseconds = 1_000
    /// Intervals between sweeps for due deletions. A deletion date is to the second for nobody.
    private static let intervalsPerSweep = 10

    private let timer = WorkQueue<Never>(countMax: 0, byteCountMax: 0)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Starts the thread; it sweeps at once.
    ///
    /// - Parameter everySecond: Called on the thread; must not block.
    package init(
        recorder: AccessRecorder, sweeper: DeletionSweeper, clock: @escaping @Sendable () -> Timestamp,
        everySecond: @escaping @Sendable () -> Void = {}
    ) {
        let timer = timer
        let worker = WorkerThread {
            var intervals = 0
            while true {
                if intervals % Self.intervalsPerSweep == 0 { sweeper.sweep(at: clock()) }
                intervals += 1
                let isClosed = timer.takeAll(waiting: Self.intervalMilliseconds).isClosed
                recorder.flush()
                everySecond()
                if isClosed { return }
            }
        }
        thread.withLock { $0 = worker }
    }

    /// Flushes a last time and ends the thread. Before the log is closed.
    package func close() {
        timer.close()
        thread.withLock { $0.take() }?.join()
    }
}
