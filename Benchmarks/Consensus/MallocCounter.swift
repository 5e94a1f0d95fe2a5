import Glibc

/// Counts the calls for heap memory of this thread, when `malloc_count.c` is loaded before the C library.
enum MallocCounter {
    private typealias Count = @convention(c) () -> UInt64

    private static let count: Count? = {
        guard let symbol = dlsym(nil, "conclave_malloc_count") else { return nil }
        // The symbol is ours, and this is its type.
        return unsafeBitCast(symbol, to: Count.self)
    }()

    /// Calls since the thread began; nil without the library.
    static var current: UInt64? { count?() }
}
