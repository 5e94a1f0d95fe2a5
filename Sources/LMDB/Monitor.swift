import Glibc
import Synchronization

/// A value behind a `Mutex`, and a way to wait until it fulfils a condition.
///
/// `withLock` costs the few nanoseconds of the `Mutex`; only who waits, and who ends a wait, pays for the condition
/// variable.
final class Monitor<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    private let waiting: ConditionVariable

    init(_ value: Value) {
        self.value = Mutex(value)
        waiting = ConditionVariable()
    }

    @inline(__always)
    func withLock<Result>(_ body: (inout Value) -> sending Result) -> sending Result { value.withLock { body(&$0) } }

    /// Calls `condition` until it returns true, each time after ``signal()``. It may change the value as it does.
    func wait(until condition: (inout Value) -> Bool) {
        if value.withLock({ condition(&$0) }) { return }
        // The condition is looked at with the variable's lock held, which a signal needs: none can fall in between.
        waiting.lock()
        while !value.withLock({ condition(&$0) }) { waiting.wait() }
        waiting.unlock()
    }

    /// Makes everyone who waits look again. Call it after the change, outside of `withLock`.
    func signal() {
        waiting.lock()
        waiting.broadcast()
        waiting.unlock()
    }
}

/// A POSIX condition variable with its mutex.
///
/// Sendable: POSIX allows every operation from any thread; the memory is fixed from `init` to `deinit`.
private final class ConditionVariable: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        // With default attributes glibc's functions cannot fail.
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition.initialize(to: pthread_cond_t())
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }
    func broadcast() { pthread_cond_broadcast(condition) }
}
