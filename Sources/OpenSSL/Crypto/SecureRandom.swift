internal import COpenSSL

/// Random bytes from OpenSSL's generator (seeded by the kernel). Safe from any thread.
package enum SecureRandom {
    /// Fills `bytes`. A generator that fails must stop the process: nothing it would protect may go on.
    package static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        guard bytes.count > 0 else { return }
        let status = RAND_bytes(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(bytes.count))
        precondition(status == 1, "the random generator failed; no key or nonce may be made")
    }

    /// `count` random bytes that are not secret (identifiers, salts, nonces).
    package static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        result.withUnsafeMutableBytes { fill($0) }
        return result
    }

    /// The same source as a standard generator, for shuffles and unbiased choices.
    package struct Generator: RandomNumberGenerator, Sendable {
        package init() {}
        package mutating func next() -> UInt64 {
            var value: UInt64 = 0
            withUnsafeMutableBytes(of: &value) { SecureRandom.fill($0) }
            return value
        }
    }
}
