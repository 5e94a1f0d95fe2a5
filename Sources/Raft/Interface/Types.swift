/// Names a member. Given once by the cluster, never reused, and not an address: a node whose disk was lost comes back under a new one.
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    package var description: String { "\(raw)" }
}

/// Raft's logical clock (paper §5.1): at most one leader per term, ever.
package struct Term: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package static let zero = Term(0)
    package var next: Term { Term(raw + 1) }

    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    package var description: String { "\(raw)" }
}

/// A position in the log. The first entry is at 1; 0 stands before it.
package struct LogIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package static let zero = LogIndex(0)
    package var next: LogIndex { LogIndex(raw + 1) }

    /// The position before this one; 0 has none and stays 0.
    package var previous: LogIndex { LogIndex(raw == 0 ? 0 : raw - 1) }

    /// Number of entries in `(other, self]`, 0 when `other` is not smaller.
    package func distance(from other: LogIndex) -> UInt64 { raw > other.raw ? raw - other.raw : 0 }

    package static func + (a: Self, count: Int) -> LogIndex { LogIndex(a.raw + UInt64(count)) }
    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    package var description: String { "\(raw)" }
}

/// Names one entry for ever: two entries with the same term and index are the same entry, and everything before them is
/// the same too (paper §5.3, Log Matching).
///
/// The order, term first, is the order of "at least as up to date" (paper §5.4.1).
package struct EntryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let term: Term
    package let index: LogIndex

    package init(term: Term, index: LogIndex) {
        self.term = term
        self.index = index
    }

    /// What stands before the first entry of every log.
    package static let zero = EntryID(term: .zero, index: .zero)

    package static func < (a: Self, b: Self) -> Bool { a.term != b.term ? a.term < b.term : a.index < b.index }
    package var description: String { "\(term)/\(index)" }
}

/// Names one ``LogWrite`` of this process life. Strictly increasing; 0 is before the first.
///
/// A completion names the write and not the entries, so that a late one for entries that were replaced meanwhile cannot mark
/// their successors durable.
package struct WriteSequence: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package static let zero = WriteSequence(0)
    package var next: WriteSequence { WriteSequence(raw + 1) }

    package static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
    package var description: String { "w\(raw)" }
}

/// Tells the lives of one node apart. Differs from that of every earlier life: a durable boot counter or 64 random bits.
///
/// Answers to requests that an earlier life made carry its number and are thrown away.
package struct Incarnation: Hashable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package var description: String { "\(raw)" }
}

/// The caller's own name for a proposal, read or command that it wants to hear back about. The core only hands it back.
package struct Ticket: Hashable, Sendable, CustomStringConvertible {
    package let raw: UInt64

    package init(_ raw: UInt64) { self.raw = raw }

    package var description: String { "#\(raw)" }
}

/// A length of time in nanoseconds.
package struct Interval: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func milliseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count * 1_000_000) }
    package static let zero = Interval(nanoseconds: 0)

    package static func * (a: Self, factor: UInt64) -> Interval { Interval(nanoseconds: a.nanoseconds * factor) }
    package static func + (a: Self, b: Self) -> Interval { Interval(nanoseconds: a.nanoseconds + b.nanoseconds) }
    package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    package var description: String { "\(nanoseconds / 1_000_000)ms" }
}

/// A reading of this node's monotonic clock, in nanoseconds. The clock must go on counting while the machine is suspended
/// (`CLOCK_BOOTTIME`), or a leader lease would outlive its promise. Readings of different nodes are never compared.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static let zero = Instant(nanoseconds: 0)

    package static func + (a: Self, b: Interval) -> Instant { Instant(nanoseconds: a.nanoseconds + b.nanoseconds) }

    /// Time from `earlier` to here; zero when `earlier` is not earlier.
    package func elapsed(since earlier: Instant) -> Interval {
        Interval(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }

    package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    package var description: String { "\(nanoseconds / 1_000_000)ms" }
}
