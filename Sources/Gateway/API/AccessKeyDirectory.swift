package import Access
internal import Glibc
internal import Keyring
package import Logging
internal import OpenSSL
package import SecretStore
internal import Synchronization

/// Access keys from the replicated state, with their secrets unwrapped, for the verifier of requests.
///
/// An entry is looked up again after ``ageMaxMilliseconds``, which bounds how long a key that was deactivated still works. That there is no
/// key of an id is remembered just as long, and finding it out costs about what unwrapping a secret does: the time of an answer shall not
/// tell which keys exist (threat model N31). Safe from any thread.
package final class AccessKeyDirectory: Sendable {
    /// How long an entry is good, in milliseconds.
    static let ageMaxMilliseconds: Int64 = 1_000
    /// Most entries kept; when there are more, all are dropped and looked up again.
    static let entriesMax = 1_024

    private struct Entry {
        /// nil: there is none.
        var key: AccessKey?
        var readAt: Int64
    }

    /// Apart, so that made-up ids push no real key out.
    private struct Entries {
        var known: [String: Entry] = [:]
        var absent: [String: Entry] = [:]
    }

    private let store: SecretStore
    private let logger: Logger
    private let entries = Mutex(Entries())
    /// Unwrapped in place of a secret that does not exist.
    private let decoy: [UInt8]
    private static let decoyID = "decoy"
    private static let decoyAccount = "000000000000"

    /// - Parameter logger: For a key that cannot be read or unwrapped.
    package init(store: SecretStore, logger: Logger) {
        self.store = store
        self.logger = logger
        decoy = store.keyring.wrapCredential(SecretBytes.random(count: 40), accessKeyID: Self.decoyID, account: Self.decoyAccount)
    }

    /// The key of that id, active or not; `nil` if there is none or it cannot be read now.
    package func find(_ id: String) -> AccessKey? {
        let now = Self.monotonicMilliseconds()
        if let entry = entries.withLock({ Self.fresh($0.known[id] ?? $0.absent[id], now) }) { return entry.key }
        do {
            guard let stored = try store.accessKey(id) else {
                let decoy = decoy
                _ = try store.keyring.unwrapCredential(decoy.span.bytes, accessKeyID: Self.decoyID, account: Self.decoyAccount)
                entries.withLock { Self.remember(Entry(key: nil, readAt: now), id, in: &$0.absent) }
                return nil
            }
            let key = try unwrap(stored)
            entries.withLock { entries in
                entries.absent[id] = nil
                Self.remember(Entry(key: key, readAt: now), id, in: &entries.known)
            }
            return key
        } catch {
            logger.error("an access key could not be read", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func fresh(_ entry: Entry?, _ now: Int64) -> Entry? {
        guard let entry, now - entry.readAt < ageMaxMilliseconds else { return nil }
        return entry
    }

    private static func remember(_ entry: Entry, _ id: String, in entries: inout [String: Entry]) {
        if entries.count >= entriesMax { entries.removeAll() }
        entries[id] = entry
    }

    private func unwrap(_ stored: StoredAccessKey) throws(KeyringError) -> AccessKey {
        let account = stored.account.description
        let secret = try store.keyring.unwrapCredential(stored.wrappedSecret.span.bytes, accessKeyID: stored.id, account: account)
        // Wrapping is salted, so another secret, or the same one stored again, has another hash: a generation that never repeats.
        let state = stored.wrappedSecret + [stored.isActive ? 1 : 0]
        let generation = SHA256.hash(state.span.bytes).bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return AccessKey(id: stored.id, secret: secret, account: account, isActive: stored.isActive, generation: generation)
    }

    private static func monotonicMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
