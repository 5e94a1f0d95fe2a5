internal import COpenSSL
internal import Synchronization

/// A key for HMAC-SHA-256 (FIPS 198-1), scheduled once and used many times.
///
/// A message takes a keyed context that nobody uses, or a duplicate when all are in use: to make a context for each message costs
/// four times the hash of a short message. OpenSSL cleanses contexts when they are freed.
///
/// Sendable: `keyed` is only ever duplicated, and a context from `idle` belongs to the one call that took it out under the lock.
package final class HMACKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    /// Contexts kept for reuse: as many as threads are likely to use one key at once.
    private static let idleCountMax = 8

    private let keyed: OpaquePointer
    private let idle = Mutex<[Idle]>([])

    /// Sendable: a context is used by whoever took it out of the list, and by nobody else.
    private struct Idle: @unchecked Sendable {
        let context: OpaquePointer
    }

    package init(_ key: RawSpan) {
        guard let context = EVP_MAC_CTX_new(Algorithms.hmac) else { preconditionFailure("the system has no memory left") }
        let status = key.withPointer { shim_hmac_sha256_init(context, $0, $1) }
        precondition(status == 1, "HMAC takes a key of any length")
        keyed = context
    }

    package convenience init(_ key: SecretBytes) { self.init(key.bytes) }

    deinit {
        for idle in idle.withLock({ $0 }) { EVP_MAC_CTX_free(idle.context) }
        EVP_MAC_CTX_free(keyed)
    }

    /// The authenticator of `data`. Safe from any thread.
    package func authenticate(_ data: RawSpan) -> Digest {
        let context = take()
        let digest = Digest { out in
            var written = 0
            let updated = data.withPointer { EVP_MAC_update(context, $0, $1) }
            let status = EVP_MAC_final(context, out.baseAddress?.bytes, &written, out.count)
            precondition(updated == 1 && status == 1 && written == Digest.byteCount, "HMAC of bytes in memory cannot fail")
        }
        giveBack(context)
        return digest
    }

    private func take() -> OpaquePointer {
        if let context = idle.withLock({ $0.popLast() })?.context {
            // Without a key and parameters this starts the next message under the same key.
            precondition(EVP_MAC_init(context, nil, 0, nil) == 1, "a keyed context starts again")
            return context
        }
        guard let context = EVP_MAC_CTX_dup(keyed) else { preconditionFailure("the system has no memory left") }
        return context
    }

    private func giveBack(_ context: OpaquePointer) {
        let returned = Idle(context: context)
        let isKept = idle.withLock { idle in
            guard idle.count < Self.idleCountMax else { return false }
            idle.append(returned)
            return true
        }
        if !isKept { EVP_MAC_CTX_free(context) }
    }

    /// Always `<redacted>`.
    package var description: String { "<redacted>" }
    /// Shows nothing.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
