import Foundation
import Keyring
import LMDB
import Logging
import OpenSSL
import Testing

@testable import SecretStore

/// The real state machine behind the real log: what a node is made of.
@Suite("Secrets over the log of a single node", .timeLimit(.minutes(1)))
struct StoreOverLogTests {
    let keyring = Keyring.forTesting()
    let directory: LogDirectory
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws { directory = try LogDirectory() }

    private struct Node {
        let store: SecretStore
        let log: SingleNodeLog

        func propose(_ mutation: Mutation) async -> Result<Outcome, ProposalFailure> {
            await withCheckedContinuation { continuation in log.propose(mutation) { continuation.resume(returning: $0) } }
        }

        func visible(_ name: String) async {
            let key = SecretAddress.of(name).key
            await withCheckedContinuation { continuation in log.applier.whenVisible(key) { continuation.resume() } }
        }

        func everythingVisible() async {
            await withCheckedContinuation { continuation in log.applier.whenEverythingIsVisible { continuation.resume() } }
        }
    }

    private func start(log: String, state: String) throws -> Node {
        let store = try StoreFixture.open(state, keyring: keyring, scope: StoreFixture.scope)
        let configuration = SingleNodeLog.Configuration(directory: log, reserveFreeByteCount: 0)
        return Node(store: store, log: try SingleNodeLog(configuration, stateMachine: store, keyring: keyring, logger: logger))
    }

    private func mutation(_ command: Command, at time: Timestamp = StoreFixture.start) -> Mutation {
        Mutation(account: StoreFixture.account, at: time, keyTerm: keyring.currentTerm, command: command)
    }

    @Test("a reader sees a write as soon as it is acknowledged, and again after a restart")
    func readYourWrite() async throws {
        try await writeAndRead(versions: 1...50)
        let again = try start(log: directory.log, state: directory.state)
        #expect(try again.store.value(at: .of("s"), VersionSelector()).get().value.ciphertext == [UInt8]("50".utf8))
        again.log.close()
    }

    /// A node's life: writes each version and reads it at once. The environment is closed when the node is released.
    private func writeAndRead(versions: ClosedRange<Int>) async throws {
        let node = try start(log: directory.log, state: directory.state)
        for number in versions {
            let version = NewVersion.of("v\(number)", "\(number)", in: "s")
            let command =
                number == 1
                ? Command.createSecret(CreateSecret(secret: .of("s"), version: version))
                : .putSecretValue(PutSecretValue(secret: .of("s"), version: version))
            let expected = Outcome.version(SecretReference.of("s").arn, VersionID("v\(number)"), stages: [.current])
            #expect(await node.propose(mutation(command)) == .success(expected))
            await node.visible("s")
            #expect(try node.store.value(at: .of("s"), VersionSelector()).get().versionID == VersionID("v\(number)"))
        }
        node.log.close()
    }

    @Test("a node that dies comes back with every acknowledged outcome and the same state hash", arguments: [1, 2] as [UInt64])
    func crash(seed: UInt64) async throws {
        let node = try start(log: directory.log, state: directory.state)
        var generator = CommandGenerator(seed: seed, keyTerm: keyring.currentTerm)
        let mutations = (0..<600).map { _ in generator.mutation() }
        func propose(_ range: Range<Int>) async {
            await withTaskGroup(of: Void.self) { group in
                for mutation in mutations[range] { group.addTask { _ = await node.propose(mutation) } }
            }
        }
        let copy = try LogDirectory()
        await propose(0..<300)
        await node.everythingVisible()
        // Nothing is written now: the state of this moment, and the log of a later one, is what a crash in between leaves.
        try FileManager.default.copyItem(atPath: directory.state + "/data.mdb", toPath: copy.state + "/data.mdb")
        await propose(300..<600)
        for segment in try directory.segments {
            try FileManager.default.copyItem(atPath: segment, toPath: copy.log + "/" + URL(fileURLWithPath: segment).lastPathComponent)
        }
        node.log.close()
        let revived = try start(log: copy.log, state: copy.state)
        #expect(try revived.store.committedIndex() == 600)
        #expect(try revived.store.committedStateHash() == node.store.committedStateHash())
        revived.log.close()
    }

    @Test("housekeeping writes access dates down and removes what is due")
    func housekeeping() async throws {
        let node = try start(log: directory.log, state: directory.state)
        let later = StoreFixture.start.adding(days: 8)
        for name in ["due", "read"] {
            let command = Command.createSecret(CreateSecret(secret: .of(name), version: .of("v1", "v", in: name)))
            _ = await node.propose(mutation(command))
        }
        _ = await node.propose(mutation(.deleteSecret(.of("due"), .afterWindow(days: 7))))
        await node.everythingVisible()
        let log = node.log
        let recorder = AccessRecorder(
            log: log, keyTerm: keyring.currentTerm, clock: { later }, whenVisible: { log.applier.whenEverythingIsVisible($0) })
        let sweeper = DeletionSweeper(store: node.store, log: log, logger: logger)
        let housekeeping = Housekeeping(recorder: recorder, sweeper: sweeper, clock: { later })
        recorder.record(try node.store.value(at: .of("read"), VersionSelector()).get(), at: later)
        housekeeping.close()
        log.close()
        #expect(try node.store.record(at: .of("due")) == nil)
        #expect(try node.store.record(at: .of("read"))?.lastAccessedDay == later.day)
    }
}
