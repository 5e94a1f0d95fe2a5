internal import Glibc

/// An operating system thread that runs one closure to its end.
///
/// The log and the state machine block on the disk, which neither an event loop nor the concurrency pool may do, and an LMDB write
/// transaction must stay on one thread.
package final class WorkerThread: Sendable {
    private let handle: pthread_t

    /// Starts the thread.
    package init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run: body))
        var handle = pthread_t()
        let status = pthread_create(&handle, nil, { argument in
            // The argument is the box retained above, handed over to this thread alone.
            guard let argument else { return nil }
            Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
        precondition(status == 0, "the system cannot start another thread")
        self.handle = handle
    }

    /// Waits until the closure has returned. Call it once, from another thread.
    package func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// A bounded queue between threads: producers never wait, the one consumer takes everything that is there.
///
/// Sendable: every access to the mutable members happens between `lock` and `unlock` of the same mutex.
package final class WorkQueue<Element: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var elements: [Element] = []
    private var byteCount = 0
    private var isClosed = false
    private var isNudged = false
    private let countMax: Int
    private let byteCountMax: Int

    /// - Parameters:
    ///   - countMax: Most elements waiting.
    ///   - byteCountMax: Most bytes waiting, as told by `add`. One element is always taken, whatever its size.
    package init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waits are measured on the clock that no one can set.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    package enum Refusal: Error { case full, closed }

    /// Adds an element for the consumer.
    package func add(_ element: Element, byteCount: Int = 0) throws(Refusal) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { throw .closed }
        guard elements.isEmpty || (elements.count < countMax && self.byteCount + byteCount <= byteCountMax) else { throw .full }
        elements.append(element)
        self.byteCount += byteCount
        pthread_cond_signal(changed)
    }

    /// Wakes the consumer although nothing was added.
    package func nudge() {
        pthread_mutex_lock(mutex)
        isNudged = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Nothing can be added from now on; the consumer still gets what is there.
    package func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for elements, a nudge, the end of `milliseconds` or the close, and takes all elements.
    ///
    /// - Parameter milliseconds: `nil` to wait without end.
    /// - Returns: The elements, perhaps none; and whether the queue is closed.
    package func takeAll(waiting milliseconds: Int? = nil) -> (elements: [Element], isClosed: Bool) {
        var deadline = timespec()
        if let milliseconds {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanoseconds = Int(deadline.tv_nsec) + milliseconds * 1_000_000
            deadline.tv_sec += nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while elements.isEmpty && !isClosed && !isNudged {
            if milliseconds == nil {
                pthread_cond_wait(changed, mutex)
            } else if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT {
                break
            }
        }
        isNudged = false
        let taken = elements
        elements = []
        byteCount = 0
        return (taken, isClosed)
    }
}
