import Synchronization

/// Remembers which versions were read on which day, and writes it down now and then: `LastAccessedDate`.
///
/// A read costs nothing here once its day is stored; the first of a day costs one entry in a table. ``flush()`` proposes what has
/// gathered, in few mutations. Until a mutation is visible to queries, ``complete(_:)`` adds its dates to what they return, so that
/// this node shows a read at once. A crash loses the dates of about a second, which is no loss of anything acknowledged.
///
/// Safe from any thread.
package final class AccessRecorder: Sendable {
    /// Calls its argument when queries see every acknowledged change: ``Applier/whenEverythingIsVisible(_:)``.
    package typealias VisibilityWait = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// Marks kept at most, about 2 MiB; a read beyond them leaves its date to the next one.
    static let marksMax = 10_000

    private struct Secret: Hashable {
        var account: AccountID
        var reference: SecretReference
    }

    private struct Mark {
        var day: UTCDay
        var isProposed: Bool
    }

    private struct Marks {
        var days: [Secret: [VersionID: Mark]] = [:]
        var count = 0
    }

    private let log: any ReplicatedLog
    private let keyTerm: UInt32
    private let clock: @Sendable () -> Timestamp
    private let whenVisible: VisibilityWait
    private let marks = Mutex(Marks())
    /// Saves the lock to queries while nothing is marked.
    private let isEmpty = Atomic<Bool>(true)

    /// - Parameters:
    ///   - keyTerm: The term that mutations are sealed under: ``Keyring/currentTerm``.
    ///   - clock: The wall clock.
    package init(
        log: any ReplicatedLog, keyTerm: UInt32, clock: @escaping @Sendable () -> Timestamp, whenVisible: @escaping VisibilityWait
    ) {
        self.log = log
        self.keyTerm = keyTerm
        self.clock = clock
        self.whenVisible = whenVisible
    }

    /// Marks a read of a value.
    package func record(_ value: StoredValue, at time: Timestamp) {
        let day = time.day
        if let secretDay = value.secretLastAccessedDay, let versionDay = value.versionLastAccessedDay, secretDay >= day, versionDay >= day {
            return
        }
        let secret = Secret(account: value.arn.account, reference: value.arn.reference)
        marks.withLock { marks in
            if let mark = marks.days[secret]?[value.versionID] {
                guard mark.day < day else { return }
            } else {
                guard marks.count < Self.marksMax else { return }
                marks.count += 1
            }
            marks.days[secret, default: [:]][value.versionID] = Mark(day: day, isProposed: false)
            isEmpty.store(false, ordering: .releasing)
        }
    }

    /// Adds the dates of reads that are not stored yet to a record from a query.
    package func complete(_ record: inout SecretRecord) {
        guard !isEmpty.load(ordering: .acquiring) else { return }
        let secret = Secret(account: record.account, reference: record.reference)
        guard let days = marks.withLock({ $0.days[secret] }) else { return }
        for index in record.versions.indices {
            guard let mark = days[record.versions[index].id] else { continue }
            record.versions[index].lastAccessedDay = max(mark.day, record.versions[index].lastAccessedDay ?? mark.day)
            record.lastAccessedDay = max(mark.day, record.lastAccessedDay ?? mark.day)
        }
    }

    /// Proposes the marks that have gathered. Call it about once a second.
    package func flush() {
        guard !isEmpty.load(ordering: .acquiring) else { return }
        for batch in takeBatches() {
            let mutation = Mutation(
                account: batch.account, at: clock(), keyTerm: keyTerm, command: .recordAccess(batch.marks, day: batch.day))
            log.propose(mutation) { [self] result in
                switch result {
                case .success: whenVisible { [self] in forget(batch) }
                // Refused, or perhaps lost: the next flush proposes the marks again, which does no harm if they were applied.
                case .failure: returnToWaiting(batch)
                }
            }
        }
    }

    // MARK: Batches

    /// The marks of one account and day that go into one mutation.
    private struct Batch: Sendable {
        struct Key: Hashable {
            var account: AccountID
            var day: UTCDay
        }

        var account: AccountID
        var day: UTCDay
        var marks: [AccessMark]
    }

    private func takeBatches() -> [Batch] {
        let waiting = marks.withLock { marks in
            var waiting: [Batch.Key: [AccessMark]] = [:]
            for (secret, versions) in marks.days {
                for (version, mark) in versions where !mark.isProposed {
                    marks.days[secret]?[version]?.isProposed = true
                    waiting[Batch.Key(account: secret.account, day: mark.day), default: []]
                        .append(AccessMark(secret: secret.reference, version: version))
                }
            }
            return waiting
        }
        return waiting.flatMap { key, marks in
            stride(from: 0, to: marks.count, by: Limits.accessMarksPerCommandMax).map { start in
                let end = min(start + Limits.accessMarksPerCommandMax, marks.count)
                return Batch(account: key.account, day: key.day, marks: Array(marks[start..<end]))
            }
        }
    }

    /// Queries see these dates now. A mark that has moved on to the next day in the meantime stays.
    private func forget(_ batch: Batch) {
        marks.withLock { marks in
            for mark in batch.marks {
                let secret = Secret(account: batch.account, reference: mark.secret)
                guard marks.days[secret]?[mark.version]?.day == batch.day else { continue }
                marks.days[secret]?[mark.version] = nil
                if marks.days[secret]?.isEmpty == true { marks.days[secret] = nil }
                marks.count -= 1
            }
            isEmpty.store(marks.count == 0, ordering: .releasing)
        }
    }

    private func returnToWaiting(_ batch: Batch) {
        marks.withLock { marks in
            for mark in batch.marks {
                marks.days[Secret(account: batch.account, reference: mark.secret)]?[mark.version]?.isProposed = false
            }
        }
    }
}
