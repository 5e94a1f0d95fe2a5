import Glibc

/// What the disk gives at best: one `pwrite` and one `fdatasync` after the other into a file that is already there and full of zeros.
final class BareLoop {
    private static let fileByteCount = 64 << 20

    private let descriptor: CInt
    private let path: String
    private var offset = 0

    init(directory: String) throws {
        path = directory + "/bare"
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure(operation: "open " + path, errno: errno) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for start in stride(from: 0, to: Self.fileByteCount, by: zeros.count) { try write(zeros, at: start) }
        guard fsync(descriptor) == 0 else { throw SystemFailure(operation: "fsync", errno: errno) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    struct Outcome {
        var batches = 0
        var nanoseconds: UInt64 = 0
    }

    /// Writes batches for at least so long.
    func run(batchByteCount: Int, nanoseconds: UInt64) throws -> Outcome {
        let batch = [UInt8](repeating: 7, count: batchByteCount)
        let clock = ContinuousClock()
        let start = clock.now
        var outcome = Outcome()
        while outcome.nanoseconds < nanoseconds {
            if offset + batchByteCount > Self.fileByteCount { offset = 0 }
            try write(batch, at: offset)
            guard fdatasync(descriptor) == 0 else { throw SystemFailure(operation: "fdatasync", errno: errno) }
            offset += batchByteCount
            outcome.batches += 1
            outcome.nanoseconds = (clock.now - start).nanoseconds
        }
        return outcome
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else { throw SystemFailure(operation: "pwrite", errno: errno) }
    }
}

/// A system call that failed under the measurement.
struct SystemFailure: Error, CustomStringConvertible {
    let operation: String
    let errno: CInt

    var description: String { "\(operation): \(String(cString: strerror(errno)))" }
}
