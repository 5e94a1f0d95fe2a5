import Foundation
import LMDB
import Testing

/// A directory of its own for a test, removed with everything in it at the end.
@discardableResult
func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = try makeDirectory()
    defer { removeDirectory(path) }
    return try body(path)
}

/// The same for a test that waits for another process.
@discardableResult
func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = try makeDirectory()
    defer { removeDirectory(path) }
    return try await body(path)
}

private func makeDirectory() throws -> String {
    var template = Array((NSTemporaryDirectory() + "/lmdb-test-XXXXXX").utf8CString)
    // An array with elements has an address.
    let path = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
    return String(cString: try #require(path))
}

private func removeDirectory(_ path: String) {
    // Whatever is left behind is the system's temporary directory's business.
    try? FileManager.default.removeItem(atPath: path)
}

/// The body of an exit test that must not come to its end: errors are no trap.
func mustTrap(_ body: () throws -> Void) -> Never {
    do { try body() } catch { print("thrown instead of trapped: \(error)") }
    exit(EXIT_SUCCESS)
}

/// An environment in a directory of its own.
func withEnvironment<Result>(
    mapSize: Int = 64 << 20, _ change: (inout Environment.Configuration) -> Void = { _ in },
    _ body: (Environment) throws -> Result
) throws -> Result {
    try withDirectory { path in
        var configuration = Environment.Configuration(path: path)
        configuration.mapSizeBytes = mapSize
        change(&configuration)
        return try body(Environment(configuration))
    }
}

extension Environment {
    /// Opens the directory with a small map.
    convenience init(at path: String, mapSize: Int = 64 << 20) throws(LMDBError) {
        var configuration = Configuration(path: path)
        configuration.mapSizeBytes = mapSize
        try self.init(configuration)
    }
}

extension RawSpan {
    /// A copy, to compare with.
    var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension RawTable {
    func put(_ key: [UInt8], _ value: [UInt8], in txn: inout WriteTransaction) throws(LMDBError) {
        try put(key.span.bytes, value.span.bytes, in: &txn)
    }

    func get<T: Transaction & ~Copyable>(_ key: [UInt8], in txn: borrowing T) throws(LMDBError) -> [UInt8]? {
        try get(key.span.bytes, in: txn)?.array
    }

    /// All entries that a walk visits.
    func entries<T: Transaction & ~Copyable>(
        prefix: [UInt8] = [], from start: Start<[UInt8]> = .edge, order: Order = .forward, in txn: borrowing T
    ) throws -> [Pair] {
        var found: [Pair] = []
        try forEach(prefix: prefix.span.bytes, from: start, order: order, in: txn) { key, value in
            found.append(Pair(key.array, value.array))
            return .continue
        }
        return found
    }
}

/// A key with its value.
struct Pair: Equatable {
    var key: [UInt8]
    var value: [UInt8]

    init(_ key: [UInt8], _ value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Runs work on a thread of its own and hands its outcome over.
final class Worker<Success: Sendable>: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let outcome = OutcomeBox<Success>()

    init(_ work: @escaping @Sendable () throws -> Success) {
        let thread = Thread { [done, outcome] in
            outcome.set(Result { try work() })
            done.signal()
        }
        thread.start()
    }

    /// Blocks until the work is done.
    func value() throws -> Success {
        done.wait()
        done.signal()
        return try outcome.get()
    }
}

// Sendable: `outcome` is read and written under the lock only.
private final class OutcomeBox<Success: Sendable>: @unchecked Sendable {
    private var outcome: Result<Success, any Error>?
    private let lock = NSLock()

    func set(_ new: Result<Success, any Error>) { lock.withLock { outcome = new } }

    func get() throws -> Success {
        guard let outcome = lock.withLock({ outcome }) else { throw LMDBError(.panicked, during: "worker") }
        return try outcome.get()
    }
}

/// One signal between threads.
final class Flag: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func raise() { semaphore.signal() }

    /// Blocks until it was raised, for everyone who waits.
    func wait() {
        semaphore.wait()
        semaphore.signal()
    }
}
