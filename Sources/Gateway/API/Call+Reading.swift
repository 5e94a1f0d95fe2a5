internal import NIOCore
internal import SecretStore
internal import Synchronization

/// Linearizable reads.
extension Call {
    /// Runs `body`, a query, once it sees everything that was acknowledged before this call: of one secret, or of all.
    ///
    /// The common case is at once, on this event loop: the log is not behind and no unfinished write touches the secret.
    ///
    /// - Parameters:
    ///   - secret: The secret that `body` looks at; `nil` if it looks at many.
    func read<Value: Sendable>(
        _ secret: SecretKey?, _ body: @escaping @Sendable (SecretStore) throws(APIError) -> Value
    ) throws(APIError) -> Reply<Value> {
        let services = services
        return try barrier().flatMap { _ throws(APIError) in
            try visible(secret).map { _ throws(APIError) in try body(services.store) }
        }
    }

    /// The secret at `target`, scheduled for deletion or not.
    func find(_ target: SecretTarget) throws(APIError) -> Reply<SecretRecord?> {
        guard let address = address(of: target) else { return .now(nil) }
        let services = services
        return try read(address.key) { _ throws(APIError) in
            guard var record = try services.query({ store in try store.record(at: address) }) else { return nil }
            services.accessRecorder.complete(&record)
            return record
        }
    }

    /// The secret at `target`, which must exist.
    func require(_ target: SecretTarget) throws(APIError) -> Reply<SecretRecord> {
        try find(target).map { record throws(APIError) in
            guard let record else { throw .secretNotFound }
            return record
        }
    }

    /// The resource policy of the secret at `target`, which must exist and not be scheduled for deletion. (Open question 13: the
    /// operations on policies declare InvalidRequestException, DescribeSecret and ListSecretVersionIds do not.)
    func policy(_ target: SecretTarget) throws(APIError) -> Reply<StoredPolicy> {
        guard let address = address(of: target) else { throw .secretNotFound }
        let services = services
        return try read(address.key) { _ throws(APIError) in
            guard let policy = try services.query({ store in try store.policy(at: address) }) else { throw .secretNotFound }
            guard !policy.isScheduledForDeletion else { throw .markedForDeletion }
            return policy
        }
    }

    func address(of target: SecretTarget) -> SecretAddress? {
        switch target {
        case .here(let name, let suffix): SecretAddress(key: SecretKey(account: account, name: name), suffix: suffix)
        case .elsewhere: nil
        }
    }

    // MARK: Waiting

    private func barrier() throws(APIError) -> Reply<Void> {
        let handover = Handover()
        services.log.readBarrier { handover.complete($0) }
        switch handover.take(on: eventLoop) {
        case .now(.success): return .now(())
        case .now(.failure(let failure)): throw APIError(failure)
        case .later(let future): return .later(future)
        }
    }

    private func visible(_ secret: SecretKey?) -> Reply<Void> {
        let isVisible = secret.map { services.applier.isVisible($0) } ?? services.applier.isEverythingVisible
        if isVisible { return .now(()) }
        let promise = eventLoop.makePromise(of: Void.self)
        services.applier.whenVisibleOrStalled(secret) { isVisible in
            isVisible ? promise.succeed() : promise.fail(APIError.storageFull)
        }
        return .later(promise.futureResult)
    }
}

/// Takes the completion of a read barrier that may be called at once or from another thread, and makes a promise only in the latter case.
private final class Handover: Sendable {
    private enum State {
        case open
        case completed(Result<Void, ProposalFailure>)
        case awaited(EventLoopPromise<Void>)
    }

    enum Taken {
        case now(Result<Void, ProposalFailure>)
        case later(EventLoopFuture<Void>)
    }

    private let state = Mutex(State.open)

    func complete(_ result: Result<Void, ProposalFailure>) {
        let promise: EventLoopPromise<Void>? = state.withLock {
            guard case .awaited(let promise) = $0 else {
                $0 = .completed(result)
                return nil
            }
            return promise
        }
        switch result {
        case .success: promise?.succeed()
        case .failure(let failure): promise?.fail(APIError(failure))
        }
    }

    func take(on eventLoop: any EventLoop) -> Taken {
        state.withLock {
            if case .completed(let result) = $0 { return .now(result) }
            let promise = eventLoop.makePromise(of: Void.self)
            $0 = .awaited(promise)
            return .later(promise.futureResult)
        }
    }
}
