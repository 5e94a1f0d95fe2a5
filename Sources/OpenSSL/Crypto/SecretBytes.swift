internal import COpenSSL
internal import Glibc

/// Bytes that must not outlive their use: zeroed when released, printed as `<redacted>`.
///
/// Keys (up to ``lockedCountMax`` bytes) live in OpenSSL's locked arena, which is neither swapped nor dumped; longer values live
/// in ordinary memory. Both are cleansed before they are freed. The content never changes after `init`.
///
/// Sendable from any thread: the memory is written only inside `init` and freed by the last release.
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Longest value that goes to the locked arena, in bytes. Every key is 32 bytes; secret values are longer lived on the wire than here.
    static let lockedCountMax = 64

    /// Number of bytes.
    package let count: Int
    private let storage: UnsafeMutableRawBufferPointer
    private let isLocked: Bool

    /// Takes `count` bytes of memory and lets `body` fill all of them.
    ///
    /// - Parameter body: Writes the content; what it leaves unwritten is zero.
    package init(count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        self.count = count
        var isLocked = count > 0 && count <= Self.lockedCountMax && LockedArena.isReady
        var memory = isLocked ? shim_secure_malloc(count) : nil
        if memory == nil {
            // A full arena costs the lock on this one value, not the request.
            isLocked = false
            memory = shim_malloc(max(count, 1))
        }
        guard let memory else { preconditionFailure("the system has no memory left") }
        self.isLocked = isLocked
        storage = UnsafeMutableRawBufferPointer(start: memory, count: count)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        try body(storage)
    }

    /// Copies `source`; the caller still owns (and wipes) the original.
    package convenience init(copying source: UnsafeRawBufferPointer) {
        self.init(count: source.count) { $0.copyMemory(from: source) }
    }

    /// Copies `source`; the caller still owns (and wipes) the original.
    package convenience init(copying source: RawSpan) {
        self.init(count: source.byteCount) { destination in source.withUnsafeBytes { destination.copyMemory(from: $0) } }
    }

    /// `count` bytes from the system's random generator.
    package static func random(count: Int) -> SecretBytes {
        SecretBytes(count: count) { SecureRandom.fill($0) }
    }

    deinit {
        if isLocked {
            shim_secure_clear_free(storage.baseAddress, count)
        } else {
            shim_clear_free(storage.baseAddress, max(count, 1))
        }
    }

    /// Lends the bytes for the length of `body`; they must not be kept.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(storage))
    }

    /// The bytes, borrowed from this object.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get { _overrideLifetime(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(storage)), borrowing: self) }
    }

    /// Always `<redacted>`.
    package var description: String { "<redacted>" }
    /// Always `<redacted>`.
    package var debugDescription: String { description }
    /// Shows nothing to `dump` and to debuggers' summaries.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// OpenSSL's locked memory for keys, made at the first use of a key.
enum LockedArena {
    /// Size of the arena, in bytes: room for 16,384 keys, and inside the 8 MiB that Linux lets an unprivileged process lock.
    static let byteCount = 1 << 20
    /// Smallest piece handed out, in bytes: one 256-bit key.
    static let pieceByteCountMin = 32

    /// Whether keys can be placed in the arena. A return of 2 means "made, but not locked": still guarded and not dumped, so still used.
    static let isReady: Bool = CRYPTO_secure_malloc_init(byteCount, pieceByteCountMin) != 0 || CRYPTO_secure_malloc_initialized() == 1
}

/// Zeroes `bytes` in a way that the optimiser cannot drop.
///
/// With the C library's `explicit_bzero`, which clears a buffer of an answer ten times as fast as `OPENSSL_cleanse`.
package func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    explicit_bzero(start, bytes.count)
}
