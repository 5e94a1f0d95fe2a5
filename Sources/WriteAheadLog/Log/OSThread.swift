internal import Glibc

/// An operating system thread that runs one closure to its end: the log blocks on the disk, which no event loop may do.
struct OSThread {
    private let handle: pthread_t

    /// Starts the thread.
    init(_ body: @escaping @Sendable () -> Void) {
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
    func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
