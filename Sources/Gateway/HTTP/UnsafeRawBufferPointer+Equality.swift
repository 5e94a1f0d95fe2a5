internal import Glibc

extension UnsafeRawBufferPointer {
    /// Whether the bytes are the same. Not for secrets: the time tells where they differ.
    func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let start = baseAddress, let otherStart = other.baseAddress, count > 0 else { return true }
        return memcmp(start, otherStart, count) == 0
    }
}
