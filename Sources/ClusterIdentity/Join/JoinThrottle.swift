package import NIOCore
internal import Synchronization

/// Slows down whoever tries wrong tokens: after a few from one address, the next attempt has to wait, twice as long each time.
///
/// A token cannot be guessed; this bounds the work and the log lines that trying costs. Safe from any thread; reads no clock.
package final class JoinThrottle: Sendable {
    /// Wrong tokens of one address before it must wait.
    package static let freeAttempts = 3
    /// Longest wait.
    package static let delayMax = TimeAmount.seconds(60)
    /// Addresses that are remembered. The one that may go on first is forgotten for a new one.
    static let addressesMax = 1_024

    private struct Record {
        var failures = 0
        var mayGoOn: NIODeadline
    }

    private let records = Mutex<[String: Record]>([:])

    package init() {}

    /// Whether an attempt from `address` is looked at now.
    package func admits(_ address: String, now: NIODeadline) -> Bool {
        records.withLock { records in records[address].map { $0.mayGoOn <= now } ?? true }
    }

    /// Notes a wrong token. An address that was quiet for ``delayMax`` behind its wait begins anew.
    package func noteFailure(_ address: String, now: NIODeadline) {
        records.withLock { records in
            if records[address] == nil, records.count >= Self.addressesMax,
                let first = records.min(by: { ($0.value.mayGoOn, $0.key) < ($1.value.mayGoOn, $1.key) })?.key
            {
                records[first] = nil
            }
            var record = records[address] ?? Record(mayGoOn: now)
            if record.mayGoOn + Self.delayMax < now { record.failures = 0 }
            record.failures += 1
            // A second after the fourth, then doubled; the shift is bounded by the longest wait, 2^6 seconds.
            let doublings = record.failures - Self.freeAttempts - 1
            record.mayGoOn = doublings < 0 ? now : now + min(.seconds(1 << Int64(min(doublings, 6))), Self.delayMax)
            records[address] = record
        }
    }

    /// Forgets what an address did, once it has joined.
    package func noteSuccess(_ address: String) { records.withLock { $0[address] = nil } }
}
