import NIOCore

/// The requests of one link that wait for their answers. Each promise is kept exactly once. Belongs to the event loop.
struct PendingRequests {
    private struct Pending {
        let promise: EventLoopPromise<PeerReply>
        let deadline: Scheduled<Void>
    }

    /// The number of the next request; never used twice, so a late answer finds nobody.
    private(set) var nextID: UInt64 = 1
    private var pending: [UInt64: Pending] = [:]

    var count: Int { pending.count }

    /// Takes the request numbered ``nextID``.
    mutating func add(_ promise: EventLoopPromise<PeerReply>, deadline: Scheduled<Void>) {
        pending[nextID] = Pending(promise: promise, deadline: deadline)
        nextID += 1
    }

    mutating func succeed(_ id: UInt64, _ reply: PeerReply) {
        guard let request = remove(id) else { return }
        if reply.status == PeerReply.noAnswer {
            request.fail(PeerRequestError.notAnswered)
        } else {
            request.succeed(reply)
        }
    }

    mutating func fail(_ id: UInt64, _ error: PeerRequestError) { remove(id)?.fail(error) }

    /// Fails all, in the order in which they were made.
    mutating func failAll(_ error: PeerRequestError) {
        let all = pending.sorted { $0.key < $1.key }
        pending.removeAll()
        for (_, request) in all {
            request.deadline.cancel()
            request.promise.fail(error)
        }
    }

    private mutating func remove(_ id: UInt64) -> EventLoopPromise<PeerReply>? {
        guard let request = pending.removeValue(forKey: id) else { return nil }
        request.deadline.cancel()
        return request.promise
    }
}
