import Access
import Foundation
import Keyring
import LMDB
import Logging
import NIOCore
import NIOPosix
import OpenSSL
import SecretStore
import Synchronization

@testable import Gateway

/// The whole API in this process: a real log, a real store in a temporary folder, and signed requests into the responder.
final class TestService: Sendable {
    static let account = "123456789012"
    static let region = "us-east-1"
    static let host = "secrets.test"
    private static let accessKeyID = "AKIDEXAMPLE"
    /// The published example of AWS's documentation.
    private static let secretKey = SecretBytes(copying: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8.span.bytes)

    let services: Services
    let responder: SecretsManagerResponder
    let recorder: AccessRecorder
    let log: SingleNodeLog
    let store: SecretStore
    let eventLoop: any EventLoop
    private let signer: RequestSigner
    private let directory: URL
    private let clock: Clock

    /// A wall clock that stands still until a test moves it.
    final class Clock: Sendable {
        /// 2026-01-02T03:04:05.678Z.
        static let start: Int64 = 1_767_323_045_678
        private let milliseconds = Mutex(start)
        var now: Timestamp { Timestamp(millisecondsSince1970: milliseconds.withLock { $0 }) }
        func advance(milliseconds count: Int64) { milliseconds.withLock { $0 += count } }
    }

    /// - Parameters:
    ///   - wrap: Puts something between the operations and the log.
    ///   - logger: Gets the responder's line per request.
    init(logger: Logger? = nil, wrap: (SingleNodeLog) -> any ReplicatedLog = { $0 }) throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let clock = Clock()
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("gateway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory.appendingPathComponent("log"), withIntermediateDirectories: true)
        let keyring = Keyring.forTesting()
        var environment = Environment.Configuration(path: directory.appendingPathComponent("state").path)
        environment.mapSizeBytes = 1 << 30
        environment.durability = .noMetaSync
        store = try SecretStore(environment: Environment(environment), keyring: keyring, scope: ARNScope(region: Self.region))
        log = try SingleNodeLog(
            SingleNodeLog.Configuration(directory: directory.appendingPathComponent("log").path, reserveFreeByteCount: 0),
            stateMachine: store, keyring: keyring, logger: quiet)
        let applier = log.applier
        recorder = AccessRecorder(
            log: log, keyTerm: keyring.currentTerm, clock: { clock.now }, whenVisible: { applier.whenEverythingIsVisible($0) })
        services = Services(
            store: store, log: wrap(log), applier: applier, accessRecorder: recorder, logger: quiet, clock: { clock.now })
        let key = AccessKey(id: Self.accessKeyID, secret: Self.secretKey, account: Self.account, isActive: true, generation: 1)
        let verifier = RequestVerifier(region: Self.region, service: "secretsmanager", acceptsPresigned: true) { $0 == key.id ? key : nil }
        responder = SecretsManagerResponder(verifier: verifier, services: services, logger: logger ?? quiet)
        signer = RequestSigner(accessKeyID: Self.accessKeyID, secret: Self.secretKey, region: Self.region, service: "secretsmanager")
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        self.clock = clock
    }

    deinit {
        log.close()
        // A folder that is left behind does no harm.
        try? FileManager.default.removeItem(at: directory)
    }

    var now: Timestamp { clock.now }
    func advance(milliseconds: Int64) { clock.advance(milliseconds: milliseconds) }
    func advance(days: Int) { clock.advance(milliseconds: Int64(days) * 86_400_000) }

    // MARK: Calls

    /// A signed call of an operation, as an AWS client makes it.
    func call(_ operation: String, json body: String) async throws -> TestAnswer {
        var headers = [
            ("host", Self.host), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.\(operation)"),
        ]
        headers += signer.sign(
            headers: headers.map { (name: $0.0, value: $0.1) }, body: body.utf8.span.bytes, now: clock.now.millisecondsSince1970
        ).map { ($0.name, $0.value) }
        return try await send(headers: headers, body: body)
    }

    func call(_ operation: String, _ members: [String: any Sendable] = [:]) async throws -> TestAnswer {
        try await call(operation, json: jsonText(members))
    }

    /// A call that must succeed.
    @discardableResult
    func ok(_ operation: String, _ members: [String: any Sendable] = [:]) async throws -> TestAnswer {
        let answer = try await call(operation, members)
        guard answer.status == 200 else { throw UnexpectedAnswer(operation: operation, answer: answer) }
        return answer
    }

    struct UnexpectedAnswer: Error {
        var operation: String
        var answer: TestAnswer
    }

    /// Any request, on the event loop, as the connection hands it over.
    func send(method: String = "POST", path: String = "/", headers: [(String, String)], body: String) async throws -> TestAnswer {
        let responder = responder
        let eventLoop = eventLoop
        let response = try await eventLoop.flatSubmit {
            withRequest(method: method, path: path, headers: headers, body: body) { request in
                switch responder.respond(to: request, on: eventLoop) {
                case .now(let response): eventLoop.makeSucceededFuture(response)
                case .later(let future): future
                }
            }
        }.get()
        return TestAnswer(status: Int(response.status), contentType: response.contentType, body: String(buffer: response.body))
    }

    // MARK: Shorthand

    /// A secret with a value; its version's id.
    @discardableResult
    func create(_ name: String, _ value: String = "value", _ more: [String: any Sendable] = [:]) async throws -> String {
        let token = newToken()
        try await ok(
            "CreateSecret",
            ["Name": name, "SecretString": value, "ClientRequestToken": token].merging(more) { _, new in new })
        return token
    }

    /// A new version; its id.
    @discardableResult
    func put(_ name: String, _ value: String = "another", stages: [String]? = nil) async throws -> String {
        let token = newToken()
        var members: [String: any Sendable] = ["SecretId": name, "SecretString": value, "ClientRequestToken": token]
        if let stages { members["VersionStages"] = stages }
        try await ok("PutSecretValue", members)
        return token
    }

    /// Names of a ListSecrets call, in order.
    func list(_ members: [String: any Sendable] = [:]) async throws -> [String] {
        try await ok("ListSecrets", members).list("SecretList").compactMap { $0["Name"] as? String }
    }

    /// Labels by version id, as DescribeSecret tells them.
    func stages(_ name: String) async throws -> [String: [String]] {
        try await ok("DescribeSecret", ["SecretId": name]).json["VersionIdsToStages"] as? [String: [String]] ?? [:]
    }
}

/// What came back.
struct TestAnswer: Sendable {
    var status: Int
    var contentType: String
    var body: String

    /// Empty if the body is no JSON object.
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:] }
    func string(_ name: String) -> String? { json[name] as? String }
    func list(_ name: String) -> [[String: Any]] { json[name] as? [[String: Any]] ?? [] }
    var names: Set<String> { Set(json.keys) }

    /// The refusal, if it is one.
    var refusal: Refusal {
        Refusal(status: status, type: string("__type") ?? "", message: string("Message"), frontMessage: string("message"))
    }
}

/// An error as the wire has it, with both spellings of the text's key.
struct Refusal: Equatable, Sendable, CustomStringConvertible {
    var status = 400
    var type: String
    var message: String?
    var frontMessage: String?

    /// An error of the service: `Message`.
    static func service(_ type: String, _ message: String) -> Refusal { Refusal(type: type, message: message) }
    static func validation(_ message: String) -> Refusal { Refusal(type: "ValidationException", frontMessage: message) }
    static func serialization(_ message: String? = nil) -> Refusal { Refusal(type: "SerializationException", frontMessage: message) }
    /// A front-end error without a text.
    static func bare(_ type: String) -> Refusal { Refusal(type: type) }

    static let notFound = Refusal.service("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    static let invalidName = Refusal.validation(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
    static let markedForDeletion = Refusal.service(
        "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
    static let nextToken = Refusal.service("InvalidNextTokenException", "Invalid NextToken.")
    static func parameter(_ message: String) -> Refusal { service("InvalidParameterException", message) }
    static func request(_ message: String) -> Refusal { service("InvalidRequestException", message) }

    var description: String { "\(status) \(type): \(message ?? frontMessage ?? "(no text)")" }
}

/// A filter of ListSecrets.
func filter(_ key: String, _ values: [String]) -> [String: any Sendable] { ["Key": key, "Values": values] }

func newToken() -> String { UUID().uuidString.lowercased() }

func jsonText(_ members: [String: any Sendable]) -> String {
    guard let data = try? JSONSerialization.data(withJSONObject: members) else { preconditionFailure("tests build valid JSON") }
    return String(decoding: data, as: UTF8.self)
}
