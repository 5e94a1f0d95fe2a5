import Foundation
import Keyring
import LMDB
import Logging
import OpenSSL
import Synchronization

@testable import SecretStore

/// A directory that is removed with the test.
final class LogDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("log-" + Keyring.randomIdentifier()).path
        for part in ["", "/log", "/state"] { try FileManager.default.createDirectory(atPath: path + part, withIntermediateDirectories: true) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) } // a leftover in the temporary folder harms nobody

    var log: String { path + "/log" }
    var state: String { path + "/state" }

    var segments: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: log).sorted().map { log + "/" + $0 } }
    }
}

/// A state machine that remembers which mutations it saw: position -> the mutation's proposal id, and how often.
///
/// It refuses to be fed out of order, like the real one.
final class RecordingStateMachine: ReplicatedStateMachine {
    let environment: Environment
    private let entries: Table<UInt64>
    private let meta: Table<UInt64>
    /// Fails the next so many applications with a full disk.
    let fullDiskFailures = Atomic<Int>(0)
    /// Calls of `apply`, over the life of this object.
    let applications = Atomic<Int>(0)

    init(path: String) throws {
        var configuration = Environment.Configuration(path: path)
        configuration.durability = .noMetaSync
        environment = try Environment(configuration)
        entries = try environment.openTable("entries")
        meta = try environment.openTable("meta")
    }

    func passNoop(at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws { preconditionFailure("a single node has none") }
    func passMembership(_ encoded: [UInt8], at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws {
        preconditionFailure("a single node has none")
    }
    func stateHash(in transaction: borrowing WriteTransaction) throws -> Digest { SHA256.hash(RawSpan()) }
    /// Not sealed, in this machine.
    func openMutation(_ sealed: [UInt8]) throws -> Mutation { try Mutation(decoding: sealed.span.bytes) }
    func install(snapshot path: String) throws -> SnapshotSummary { preconditionFailure("a single node has none") }

    func apply(_ mutation: Mutation, at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws -> Outcome {
        if fullDiskFailures.load(ordering: .relaxed) > 0 {
            fullDiskFailures.subtract(1, ordering: .relaxed)
            throw LMDBError(.diskFull, during: "apply")
        }
        applications.add(1, ordering: .relaxed)
        let last = try number(meta, 0, in: transaction) ?? 0
        precondition(index == last + 1, "entries come in order")
        try put(entries, index, mutation.id.low, in: &transaction)
        try put(meta, 0, index, in: &transaction)
        return .done
    }

    func committedIndex() throws -> UInt64 {
        try environment.read { try number(meta, 0, in: $0) ?? 0 }
    }

    /// The mutations in the committed state, by position.
    func committed() throws -> [UInt64] {
        try environment.read { transaction in
            var ids: [UInt64] = []
            try entries.forEach(in: transaction) { _, value in
                ids.append(value.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
                return .continue
            }
            return ids
        }
    }

    private func number(_ table: Table<UInt64>, _ key: UInt64, in transaction: borrowing some Transaction & ~Copyable) throws -> UInt64? {
        guard let value = try table.get(key, in: transaction) else { return nil }
        return value.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    private func put(_ table: Table<UInt64>, _ key: UInt64, _ value: UInt64, in transaction: inout WriteTransaction) throws {
        let bytes = withUnsafeBytes(of: value) { [UInt8]($0) }
        try table.put(key, bytes.span.bytes, in: &transaction)
    }
}

/// A real file system with faults on demand.
final class FaultyFileSystem: LogFileSystem {
    struct Faults {
        var free: Int?
        var createErrno: CInt?
        var writeErrno: CInt?
        var synchronizeErrno: CInt?
        var synchronizations = 0
        var creations = 0
    }

    let faults = Mutex(Faults())
    private let real = PosixFileSystem()

    func set(_ change: (inout Faults) -> Void) { faults.withLock { change(&$0) } }

    func list(_ directory: String) throws(FileFailure) -> [String] { try real.list(directory) }
    func read(_ path: String) throws(FileFailure) -> [UInt8] { try real.read(path) }
    func remove(_ path: String) throws(FileFailure) { try real.remove(path) }
    func freeByteCount(_ path: String) -> Int? { faults.withLock(\.free) ?? real.freeByteCount(path) }

    func create(_ path: String, byteCount: Int) throws(FileFailure) -> any LogFile {
        let errno = faults.withLock { faults in
            faults.creations += 1
            return faults.createErrno
        }
        if let errno { throw FileFailure(operation: .allocate, path: path, errno: errno) }
        return File(real: try real.create(path, byteCount: byteCount), system: self, path: path)
    }

    func open(_ path: String) throws(FileFailure) -> any LogFile { File(real: try real.open(path), system: self, path: path) }

    private final class File: LogFile {
        let real: any LogFile
        let system: FaultyFileSystem
        let path: String

        init(real: any LogFile, system: FaultyFileSystem, path: String) {
            self.real = real
            self.system = system
            self.path = path
        }

        func write(_ bytes: [UInt8], at offset: Int) throws(FileFailure) {
            if let errno = system.faults.withLock(\.writeErrno) { throw FileFailure(operation: .write, path: path, errno: errno) }
            try real.write(bytes, at: offset)
        }

        func synchronize() throws(FileFailure) {
            let errno = system.faults.withLock { faults in
                faults.synchronizations += 1
                return faults.synchronizeErrno
            }
            if let errno { throw FileFailure(operation: .synchronize, path: path, errno: errno) }
            try real.synchronize()
        }
    }
}

/// A log over a recording state machine, and what its completions said.
final class LogHarness: Sendable {
    let directory: LogDirectory
    let keyring: Keyring
    let files: FaultyFileSystem
    let machine: RecordingStateMachine
    let log: SingleNodeLog
    let fatalSentence = Mutex<String?>(nil)

    init(
        _ directory: LogDirectory, keyring: Keyring, files: FaultyFileSystem = FaultyFileSystem(),
        configure: (inout SingleNodeLog.Configuration) -> Void = { _ in }
    ) throws {
        self.directory = directory
        self.keyring = keyring
        self.files = files
        machine = try RecordingStateMachine(path: directory.state)
        var configuration = SingleNodeLog.Configuration(directory: directory.log, reserveFreeByteCount: 0)
        configuration.segmentByteCount = 64 << 10
        configure(&configuration)
        let box = Box()
        log = try SingleNodeLog(
            configuration, stateMachine: machine, keyring: keyring, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, files: files
        ) { sentence in box.harness?.fatalSentence.withLock { $0 = sentence } }
        box.set(self)
    }

    /// Lets the fatal callback find the harness, which exists only after the log does.
    private final class Box: Sendable {
        private let held = Mutex<Weak>(Weak())
        private struct Weak: Sendable { weak var harness: LogHarness? }
        var harness: LogHarness? { held.withLock { $0.harness } }
        func set(_ harness: LogHarness) { held.withLock { $0.harness = harness } }
    }

    static func mutation(_ number: UInt64, name: String? = nil, policyByteCount: Int = 0) -> Mutation {
        let account = AccountID("123456789012")
        guard let account else { preconditionFailure("twelve digits are an account") }
        let command: Command
        if let name, let secret = SecretName(name), let suffix = ARNSuffix("AbCdEf") {
            command = .putResourcePolicy(SecretReference(name: secret, suffix: suffix), policy: String(repeating: "x", count: policyByteCount))
        } else {
            command = .createAccount
        }
        return Mutation(id: ProposalID(high: 0, low: number), account: account, at: Timestamp(millisecondsSince1970: 0), keyTerm: 1, command: command)
    }

    func propose(_ mutation: Mutation) async -> Result<Outcome, ProposalFailure> {
        await withCheckedContinuation { continuation in log.propose(mutation) { continuation.resume(returning: $0) } }
    }

    func propose(_ numbers: ClosedRange<UInt64>) async {
        await withTaskGroup(of: Void.self) { group in
            for number in numbers { group.addTask { _ = await self.propose(Self.mutation(number)) } }
        }
    }

    func visible(_ key: SecretKey) async {
        await withCheckedContinuation { continuation in log.applier.whenVisible(key) { continuation.resume() } }
    }

    func everythingVisible() async {
        await withCheckedContinuation { continuation in log.applier.whenEverythingIsVisible { continuation.resume() } }
    }
}
