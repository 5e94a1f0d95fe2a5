import OpenSSL
import Synchronization

/// Derived signing keys of one verifier, that is of one region and service, so that a request costs one HMAC and not five.
///
/// An entry belongs to one state of an access key's record: when the lookup returns another generation or another secret, what was
/// derived from the old one is dropped. Safe from any thread.
final class SigningKeyCache: Sendable {
    /// Most access keys held. Beyond that the one that was used longest ago goes; it costs four HMACs to come back.
    static let accessKeyCountMax = 1_024

    /// What a request is checked with.
    struct Material {
        let key: HMACKey
        let principal: Principal
    }

    /// A class, so that a look-up copies one reference. Belongs to ``state``.
    private final class Entry {
        let generation: UInt64
        let secret: SecretBytes
        let principal: Principal
        var newer: (day: UInt64, key: HMACKey)
        /// Around midnight two days are in use; a third is never needed inside a window of minutes.
        var older: (day: UInt64, key: HMACKey)?
        var lastUse: UInt64

        init(_ key: AccessKey, _ principal: Principal, day: UInt64, _ signingKey: HMACKey, lastUse: UInt64) {
            generation = key.generation
            secret = key.secret
            self.principal = principal
            newer = (day, signingKey)
            self.lastUse = lastUse
        }

        func belongs(to key: AccessKey) -> Bool {
            let (mine, other) = (secret, key.secret)
            return generation == key.generation && principal.account == key.account
                && (mine === other || isEqualInConstantTime(mine.bytes, other.bytes))
        }

        func signingKey(_ day: UInt64) -> HMACKey? {
            newer.day == day ? newer.key : older?.day == day ? older?.key : nil
        }

        func add(_ key: HMACKey, _ day: UInt64) {
            if day > newer.day {
                (older, newer) = (newer, (day, key))
            } else if day < newer.day {
                older = (day, key)
            } else {
                newer.key = key
            }
        }
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var useCount: UInt64 = 0
        var derivationCount = 0
    }

    private let state = Mutex(State())
    private let partition: String

    init(partition: String) { self.partition = partition }

    /// The signing key of `accessKey` for one day, from memory or derived now.
    ///
    /// - Parameters:
    ///   - day: The date's 8 bytes `YYYYMMDD` as a big-endian number.
    ///   - staleID: An id that the lookup has just refused; what is held for it is dropped.
    ///   - derive: Makes the key; called at most once, outside the lock.
    func material(
        for accessKey: AccessKey, day: UInt64, forgetting staleID: String?, derive: () -> HMACKey
    ) -> Material {
        let held = state.withLock { state -> Material? in
            if let staleID { state.entries[staleID] = nil }
            state.useCount += 1
            guard let entry = state.entries[accessKey.id] else { return nil }
            guard entry.belongs(to: accessKey) else {
                state.entries[accessKey.id] = nil
                return nil
            }
            guard let key = entry.signingKey(day) else { return nil }
            entry.lastUse = state.useCount
            return Material(key: key, principal: entry.principal)
        }
        if let held { return held }

        let key = derive()
        let principal = Principal(rootOf: accessKey.account, accessKeyID: accessKey.id, partition: partition)
        state.withLock { state in
            state.derivationCount += 1
            if let entry = state.entries[accessKey.id], entry.belongs(to: accessKey) {
                entry.add(key, day)
            } else {
                if state.entries.count >= Self.accessKeyCountMax,
                    let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
                {
                    state.entries[oldest] = nil
                }
                state.entries[accessKey.id] = Entry(accessKey, principal, day: day, key, lastUse: state.useCount)
            }
        }
        return Material(key: key, principal: principal)
    }

    /// How often a key was asked for and derived, and how many access keys and signing keys are held; for tests.
    var statistics: (uses: UInt64, derivations: Int, accessKeys: Int, signingKeys: Int) {
        state.withLock { state in
            let signingKeys = state.entries.values.reduce(0) { $0 + ($1.older == nil ? 1 : 2) }
            return (state.useCount, state.derivationCount, state.entries.count, signingKeys)
        }
    }

    /// Whether anything is held for an access key; for tests.
    func holds(_ accessKeyID: String) -> Bool { state.withLock { $0.entries[accessKeyID] != nil } }
}
