internal import OpenSSL
internal import Synchronization

/// How much memory all connections of a server may hold for requests that are not complete. Safe from any thread.
///
/// Requests that arrive in one read need none of it: a flood of half requests takes nothing from clients that send whole ones.
final class InputBudget: Sendable {
    private let byteCountMax: Int
    private let used = Atomic<Int>(0)

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// How many bytes are in use.
    var usedByteCount: Int { used.load(ordering: .relaxed) }

    /// Takes `byteCount` bytes, unless that would be too much in all.
    func take(_ byteCount: Int) -> Bool {
        if used.add(byteCount, ordering: .relaxed).newValue <= byteCountMax { return true }
        give(byteCount)
        return false
    }

    func give(_ byteCount: Int) { used.subtract(byteCount, ordering: .relaxed) }
}

/// The bytes of a connection that wait for the rest of their request. Every byte is zeroed before its memory is given back.
///
/// Growing copies to new memory and wipes the old, which `realloc` would not. No memory is held while nothing waits.
struct InputBuffer: ~Copyable {
    /// Smallest memory taken, in bytes: a usual signed request of this API.
    private static let capacityMin = 2_048
    /// Most memory taken for bytes that are only announced, in bytes. Beyond, memory doubles as bytes arrive.
    private static let announcedCapacityMax = 16_384

    private let budget: InputBudget
    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    private var end = 0

    init(budget: InputBudget) { self.budget = budget }

    deinit { Self.release(storage, to: budget) }

    var isEmpty: Bool { start == end }
    /// Size of the memory held, in bytes.
    var capacity: Int { storage.count }

    /// The waiting bytes. The pointer is valid until the next call that changes the buffer.
    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: storage[start..<end]) }

    /// Appends a copy of `added`; the caller wipes the original.
    ///
    /// - Parameter expected: How many bytes the first waiting request will have in all, if that is known.
    /// - Returns: False when the budget does not allow it; nothing is appended then.
    mutating func append(_ added: UnsafeRawBufferPointer, expected: Int? = nil) -> Bool {
        guard !added.isEmpty else { return true }
        if end + added.count > storage.count {
            let announced = min(expected ?? 0, Self.announcedCapacityMax)
            guard grow(to: max(end - start + added.count, announced, 2 * (end - start), Self.capacityMin)) else { return false }
        }
        UnsafeMutableRawBufferPointer(rebasing: storage[end...]).copyMemory(from: added)
        end += added.count
        return true
    }

    private mutating func grow(to capacity: Int) -> Bool {
        guard budget.take(capacity) else { return false }
        let grown = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[start..<end]))
        Self.release(storage, to: budget)
        storage = grown
        end -= start
        start = 0
        return true
    }

    /// Drops the first `count` bytes.
    mutating func consume(_ count: Int) {
        precondition(count <= end - start, "only waiting bytes are consumed")
        start += count
        if start == end { removeAll() }
    }

    /// Drops and wipes everything.
    mutating func removeAll() {
        Self.release(storage, to: budget)
        storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        (start, end) = (0, 0)
    }

    private static func release(_ storage: UnsafeMutableRawBufferPointer, to budget: InputBudget) {
        budget.give(storage.count)
        wipe(storage)
        storage.deallocate()
    }
}
