internal import OpenSSL
internal import Synchronization

/// The hashes of this node's state after the last few marked entries, to be compared with other nodes' (`reference/raft.md` C10).
///
/// Safe from any thread.
final class StateHashes: Sendable {
    private static let countMax = 64
    private let hashes = Mutex<[NodeStatus.StateHash]>([])

    /// The apply thread has passed an entry whose index all nodes mark.
    func add(_ hash: Digest, at index: UInt64) {
        hashes.withLock { hashes in
            hashes.append(NodeStatus.StateHash(index: index, hash: hash.hex))
            if hashes.count > Self.countMax { hashes.removeFirst() }
        }
    }

    var all: [NodeStatus.StateHash] { hashes.withLock { $0 } }

    /// The first index at which so many others agree on a state that is not ours that they are a majority of the voters.
    ///
    /// - Parameter others: What the other voters say; they may be fewer than there are.
    func divergence(from others: [[NodeStatus.StateHash]], voterCount: Int) -> UInt64? {
        for mine in all {
            let theirs = others.compactMap { hashes in hashes.first { $0.index == mine.index }?.hash }.filter { $0 != mine.hash }
            guard let candidate = theirs.first else { continue }
            if theirs.filter({ $0 == candidate }).count > voterCount / 2 { return mine.index }
        }
        return nil
    }
}
