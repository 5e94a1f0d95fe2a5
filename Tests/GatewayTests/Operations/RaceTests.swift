import NIOCore
import SecretStore
import Synchronization
import Testing

@testable import Gateway

/// Puts something between the operations and the real log.
private final class InterposedLog: ReplicatedLog {
    typealias Completion = @Sendable (Result<Outcome, ProposalFailure>) -> Void

    private let inner: SingleNodeLog
    private let before: @Sendable (Mutation, SingleNodeLog, @escaping @Sendable () -> Void) -> ProposalFailure?
    /// Whether read barriers are answered later, from another thread.
    let delaysBarriers = Atomic<Bool>(false)
    let barrierFailure = Mutex<ProposalFailure?>(nil)

    /// - Parameter before: Called with each proposal; lets it go on, later if it likes, or says why it is refused.
    init(_ inner: SingleNodeLog, before: @escaping @Sendable (Mutation, SingleNodeLog, @escaping @Sendable () -> Void) -> ProposalFailure?) {
        self.inner = inner
        self.before = before
    }

    func propose(_ mutation: Mutation, completion: @escaping Completion) {
        let inner = inner
        if let failure = before(mutation, inner, { inner.propose(mutation, completion: completion) }) { completion(.failure(failure)) }
    }

    func readBarrier(completion: @escaping @Sendable (Result<Void, ProposalFailure>) -> Void) {
        let result: Result<Void, ProposalFailure> = barrierFailure.withLock { $0 }.map { .failure($0) } ?? .success(())
        if delaysBarriers.load(ordering: .relaxed) {
            Task.detached { completion(result) }
        } else {
            completion(result)
        }
    }

    var isReadableNow: Bool { barrierFailure.withLock { $0 == nil } && !delaysBarriers.load(ordering: .relaxed) }
}

@Suite("Writes that meet other writes, and logs that refuse", .timeLimit(.minutes(1)))
struct RaceTests {
    @Test func `a secret that is made anew under a write's feet is written to in its new form`() async throws {
        let races = Counter()
        let service = try TestService { log in
            InterposedLog(log) { mutation, log, goOn in
                guard case .putSecretValue(let put) = mutation.command, races.isFirst() else {
                    goOn()
                    return nil
                }
                // Between the look-up and the write: gone, and made again under the same name.
                func propose(_ command: Command, then: @escaping @Sendable () -> Void) {
                    log.propose(Mutation(account: mutation.account, at: mutation.at, keyTerm: mutation.keyTerm, command: command)) { _ in then() }
                }
                propose(.deleteSecret(put.secret, .immediately)) {
                    log.propose(
                        Mutation(
                            account: mutation.account, at: mutation.at, keyTerm: mutation.keyTerm,
                            command: .createSecret(.init(secret: SecretReference(name: put.secret.name, suffix: .random()))))
                    ) { _ in goOn() }
                }
                return nil
            }
        }
        try await service.create("s")
        let before = try await service.ok("DescribeSecret", ["SecretId": "s"]).string("ARN")
        let put = try await service.ok("PutSecretValue", ["SecretId": "s", "SecretString": "late", "ClientRequestToken": newToken()])
        #expect(put.string("ARN") != before)
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "late")
    }

    @Test func `a forced deletion that another one overtakes succeeds all the same`() async throws {
        let races = Counter()
        let service = try TestService { log in
            InterposedLog(log) { mutation, log, goOn in
                guard case .deleteSecret(let secret, .immediately) = mutation.command, races.isFirst() else {
                    goOn()
                    return nil
                }
                let other = Mutation(account: mutation.account, at: mutation.at, keyTerm: mutation.keyTerm, command: .deleteSecret(secret, .immediately))
                log.propose(other) { _ in goOn() }
                return nil
            }
        }
        try await service.create("s")
        #expect(try await service.ok("DeleteSecret", ["SecretId": "s", "ForceDeleteWithoutRecovery": true]).string("Name") == "s")
        #expect(try await service.call("DescribeSecret", ["SecretId": "s"]).refusal.type == "ResourceNotFoundException")
    }

    @Test func `a write by full ARN never reaches the secret that took the name`() async throws {
        let service = try TestService { log in
            InterposedLog(log) { mutation, log, goOn in
                guard case .putSecretValue(let put) = mutation.command else {
                    goOn()
                    return nil
                }
                let delete = Mutation(
                    account: mutation.account, at: mutation.at, keyTerm: mutation.keyTerm, command: .deleteSecret(put.secret, .immediately))
                let create = Mutation(
                    account: mutation.account, at: mutation.at, keyTerm: mutation.keyTerm,
                    command: .createSecret(.init(secret: SecretReference(name: put.secret.name, suffix: .random()))))
                log.propose(delete) { _ in log.propose(create) { _ in goOn() } }
                return nil
            }
        }
        try await service.create("s")
        let arn = try #require(try await service.ok("DescribeSecret", ["SecretId": "s"]).string("ARN"))
        let put = try await service.call("PutSecretValue", ["SecretId": arn, "SecretString": "late", "ClientRequestToken": newToken()])
        #expect(put.refusal == .notFound)
        #expect(try await service.stages("s") == [:])
    }

    @Test(arguments: [
        (ProposalFailure.diskFull, Refusal(status: 503, type: "ServiceUnavailableException", frontMessage: "The storage is full. Writes are accepted again when there is space.")),
        (.overloaded, Refusal(type: "ThrottlingException", frontMessage: "Rate exceeded")),
        (.stopping, Refusal(status: 503, type: "ServiceUnavailableException", frontMessage: "The server is shutting down.")),
        (.outcomeUnknown, Refusal(status: 500, type: "InternalServiceError", message: "An error occurred on the server side.")),
    ])
    func `a refused proposal becomes an error that SDKs try again, and reads go on`(_ failure: ProposalFailure, _ refusal: Refusal) async throws {
        let holder = Flag()
        let service = try TestService { log in
            InterposedLog(log) { _, _, goOn in
                if holder.flag.load(ordering: .relaxed) { return failure }
                goOn()
                return nil
            }
        }
        try await service.create("s")
        holder.flag.store(true, ordering: .relaxed)
        let writes: [(String, [String: any Sendable])] = [
            ("CreateSecret", ["Name": "t", "SecretString": "v", "ClientRequestToken": newToken()]),
            ("PutSecretValue", ["SecretId": "s", "SecretString": "v", "ClientRequestToken": newToken()]), ("DeleteSecret", ["SecretId": "s"]),
            ("TagResource", ["SecretId": "s", "Tags": [["Key": "k", "Value": "v"]]]),
        ]
        for (operation, members) in writes { #expect(try await service.call(operation, members).refusal == refusal) }
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "value")
        holder.flag.store(false, ordering: .relaxed)
        try await service.put("s")
    }

    @Test func `a read waits for a barrier that is answered from another thread`() async throws {
        let holder = Held()
        let service = try TestService { inner in
            let log = InterposedLog(inner) { _, _, goOn in
                goOn()
                return nil
            }
            holder.log.withLock { $0 = log }
            return log
        }
        try await service.create("s")
        let interposed = try #require(holder.log.withLock { $0 })
        interposed.delaysBarriers.store(true, ordering: .relaxed)
        for _ in 0..<20 { #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "value") }
        #expect(try await service.call("GetSecretValue", ["SecretId": "none"]).refusal == .notFound)
        #expect(try await service.list() == ["s"])
        try await service.put("s", "more")
        for delays in [true, false] {
            interposed.delaysBarriers.store(delays, ordering: .relaxed)
            interposed.barrierFailure.withLock { $0 = .stopping }
            #expect(try await service.call("GetSecretValue", ["SecretId": "s"]).refusal.status == 503)
        }
    }

    @Test func `every read sees every write that was answered before it`() async throws {
        let service = try TestService()
        try await service.create("s", "0")
        for round in 1...60 {
            try await service.put("s", "\(round)")
            #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "\(round)")
            if round % 20 == 0 {
                try await service.create("n\(round)")
                #expect(try await service.list().last == "n\(round)")
            }
        }
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    func isFirst() -> Bool { count.add(1, ordering: .relaxed).oldValue == 0 }
}

private final class Flag: Sendable {
    let flag = Atomic<Bool>(false)
}

private final class Held: Sendable {
    let log = Mutex<InterposedLog?>(nil)
}
