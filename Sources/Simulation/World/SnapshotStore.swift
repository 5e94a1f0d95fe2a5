import Raft

/// The snapshot images on one node's disk: those it made for others, and the one it is fetching.
package struct SnapshotStore: Sendable {
    struct Image: Sendable {
        let meta: SnapshotMeta
        let bytes: [UInt8]
    }

    /// Made by this life of the node. A crash forgets them, for nobody asks the next life for them.
    private(set) var made: [Image] = []
    /// What is fetched, as far as it is synced.
    private(set) var staged: Image?

    mutating func add(_ image: Image) { made.append(image) }
    mutating func release(_ name: SnapshotImage) { made.removeAll { $0.meta.image == name } }
    mutating func forgetMade() { made.removeAll() }

    func image(_ name: SnapshotImage) -> Image? { made.first { $0.meta.image == name } }

    /// A fetch begins at 0, or goes on where an earlier one had come to.
    mutating func begin(_ meta: SnapshotMeta, offset: UInt64) {
        if let staged, staged.meta.image == meta.image, UInt64(staged.bytes.count) >= offset {
            self.staged = Image(meta: meta, bytes: Array(staged.bytes.prefix(Int(offset))))
        } else {
            precondition(offset == 0, "a fetch goes on with bytes that are not staged")
            staged = Image(meta: meta, bytes: [])
        }
    }

    mutating func store(_ chunk: SnapshotChunk) {
        guard let staged, staged.meta.image == chunk.image, UInt64(staged.bytes.count) == chunk.offset else { return }
        self.staged = Image(meta: staged.meta, bytes: staged.bytes + chunk.bytes)
    }

    mutating func discard(_ name: SnapshotImage) {
        if staged?.meta.image == name { staged = nil }
    }

    /// For a recovery: a fetch that is worth going on with.
    var unfinished: (meta: SnapshotMeta, offset: UInt64)? {
        guard let staged, UInt64(staged.bytes.count) < staged.meta.byteCount else { return nil }
        return (staged.meta, UInt64(staged.bytes.count))
    }
}
