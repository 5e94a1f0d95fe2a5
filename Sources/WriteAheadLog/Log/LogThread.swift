internal import Glibc
package import Raft
internal import Synchronization

/// What a ``LogThread`` has to say.
package enum LogEvent: Hashable, Sendable {
    /// Every write through this one is on disk.
    case durable(WriteSequence)
    /// Entries that were asked for are in memory.
    case fetched
    /// The log is dead: nothing after the last durable write is known to be there.
    case failed(LogFault)
}

/// A thread of the operating system that owns a log: it takes everything that waits, appends it, syncs once and says so. The time of
/// one sync is the window in which the next group gathers; there is no other delay.
///
/// Safe from any thread.
///
/// Sendable: `log` is touched by the thread alone from the end of `init` on; everything else is behind `state`'s mutex.
package final class LogThread<Directory: LogDirectory>: @unchecked Sendable {
    private struct Work {
        var writes: [LogWrite] = []
        var byteCount = 0
        var compactBefore: LogIndex?
        var prefetchFrom: LogIndex?
        var isClosed = false

        var isEmpty: Bool { writes.isEmpty && compactBefore == nil && prefetchFrom == nil }
    }

    /// The newest entries, for the core.
    package let tail: LogTail
    /// Nil when the thread has ended: the files, and the lock on their directory, are free again.
    private var log: WriteAheadLog<Directory>?
    private let byteCountMax: Int
    private let report: @Sendable (LogEvent) -> Void
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    /// Guarded by `mutex`.
    private var waiting = Work()
    private var thread: OSThread?

    /// Takes the log over and starts the thread. The caller keeps no hand on the log.
    ///
    /// - Parameters:
    ///   - byteCountMax: Most bytes of entries that wait; one write is always taken.
    ///   - report: Called on the thread; must not block.
    package init(_ log: WriteAheadLog<Directory>, byteCountMax: Int = 64 << 20, report: @escaping @Sendable (LogEvent) -> Void) {
        self.log = log
        self.byteCountMax = byteCountMax
        self.report = report
        tail = log.tail
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waits are measured on the clock that no one can set.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
        thread = OSThread { self.run() }
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    // MARK: Asking

    /// Queues a write behind those before it.
    ///
    /// - Returns: False when too much is waiting, the log is dead, or the thread was closed.
    package func submit(_ write: LogWrite) -> Bool {
        let byteCount = write.entries.reduce(0) { $0 + $1.byteCount }
        return change { work in
            guard !work.isClosed, work.writes.isEmpty || work.byteCount + byteCount <= byteCountMax else { return false }
            work.writes.append(write)
            work.byteCount += byteCount
            return true
        }
    }

    /// Segments before `index` may go.
    package func compact(before index: LogIndex) {
        _ = change { work in
            work.compactBefore = index
            return true
        }
    }

    /// Entries from `index` on shall be in memory; answered by ``LogEvent/fetched``.
    package func prefetch(from index: LogIndex) {
        _ = change { work in
            work.prefetchFrom = index
            return true
        }
    }

    /// Makes everything queued durable, ends the thread and waits for that. Call it once, from another thread.
    package func close() {
        close(discarding: false)
        thread?.join()
    }

    private func close(discarding: Bool) {
        _ = change { work in
            if discarding { work = Work() }
            work.isClosed = true
            return true
        }
    }

    private func change(_ body: (inout Work) -> Bool) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // The thread sleeps only as long as there is nothing at all: whoever comes later need not wake it.
        let mayWait = waiting.isEmpty && !waiting.isClosed
        guard body(&waiting) else { return false }
        if mayWait { pthread_cond_signal(changed) }
        return true
    }

    // MARK: The thread

    private func run() {
        guard let log else { return }
        defer { self.log = nil }
        var isMarkDue = false
        do throws(LogFault) {
            while true {
                guard let work = take(waiting: isMarkDue ? Self.markMilliseconds : nil) else {
                    try log.mark()
                    isMarkDue = false
                    continue
                }
                if work.isEmpty { return }
                try perform(work, on: log)
                if !work.writes.isEmpty { isMarkDue = true }
            }
        } catch {
            close(discarding: true)
            report(.failed(error))
        }
    }

    /// How long the thread has nothing to do before it marks how far the log is synced, which costs a sync, in milliseconds.
    private static var markMilliseconds: Int { 50 }

    /// Waits for something to do; empty work ends the thread.
    ///
    /// - Returns: nil when nothing came in the time given.
    private func take(waiting milliseconds: Int?) -> Work? {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = Int(deadline.tv_nsec) + (milliseconds ?? 0) * 1_000_000
        deadline.tv_sec += nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting.isEmpty && !waiting.isClosed {
            if milliseconds == nil {
                pthread_cond_wait(changed, mutex)
            } else if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                return nil
            }
        }
        let work = waiting
        waiting = Work(isClosed: work.isClosed)
        return work
    }

    private func perform(_ work: Work, on log: WriteAheadLog<Directory>) throws(LogFault) {
        try log.append(work.writes)
        if let sequence = try log.sync() { report(.durable(sequence)) }
        if let index = work.prefetchFrom {
            try log.prefetch(from: index)
            report(.fetched)
        }
        if let index = work.compactBefore { try log.compact(before: index) }
        // Behind everything that somebody waits for, and in good time: half a segment before it is needed.
        if !log.hasRoom { try log.prepare() }
    }
}
