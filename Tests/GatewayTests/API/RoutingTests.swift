import Logging
import Synchronization
import Testing

@testable import Gateway

@Suite("What is refused before anybody is asked who they are", .timeLimit(.minutes(1)))
struct RoutingTests {
    struct Row: Sendable {
        var method = "POST"
        var path = "/"
        var contentType: String? = "application/x-amz-json-1.1"
        var target: String? = "secretsmanager.ListSecrets"
        var more: [String] = []
        var body = "{}"
        var status: Int
        var answer: String
    }

    static let accessDenied =
        "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n"
    static let serialization = #"{"__type":"SerializationException"}"#
    static let unknown = #"{"__type":"UnknownOperationException"}"#
    static let missing = #"{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}"#

    /// The rows of sigv4.md section 4, by their numbers.
    static let rows: [Row] = [
        // 1
        Row(method: "GET", status: 403, answer: accessDenied), Row(method: "PUT", status: 403, answer: accessDenied),
        Row(method: "post", status: 403, answer: accessDenied), Row(path: "/other", status: 403, answer: accessDenied),
        // 2
        Row(contentType: "text/plain", target: nil, status: 403, answer: accessDenied),
        Row(contentType: "text/plain", status: 404, answer: "<UnknownOperationException/>\n"),
        Row(contentType: "application/x-amz-json-1.0", status: 404, answer: "<UnknownOperationException/>\n"),
        Row(contentType: nil, status: 404, answer: "<UnknownOperationException/>\n"),
        // 3
        Row(body: "", status: 400, answer: serialization), Row(target: "secretsmanager.None", body: "", status: 400, answer: unknown),
        Row(target: nil, body: "", status: 400, answer: unknown),
        // 4
        Row(body: "[]", status: 400, answer: serialization), Row(body: "null", status: 400, answer: serialization), Row(body: " \n", status: 400, answer: serialization),
        Row(body: "{", status: 400, answer: serialization), Row(target: "secretsmanager.None", body: "5", status: 400, answer: serialization),
        // 5
        Row(
            contentType: "application/json", status: 404,
            answer: #"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#),
        Row(contentType: "application/json", body: "[]", status: 400, answer: serialization),
        // 6
        Row(target: "secretsmanager.None", status: 400, answer: unknown), Row(target: nil, status: 400, answer: unknown),
        Row(target: "secretsmanager.listSecrets", status: 400, answer: unknown), Row(target: "SecretsManager.ListSecrets", status: 400, answer: unknown),
        Row(target: "ListSecrets", status: 400, answer: unknown), Row(target: "secretsmanager.", status: 400, answer: unknown),
        // No decompression.
        Row(more: ["gzip"], status: 400, answer: serialization),
        // 8: everything is in order but the signature.
        Row(status: 400, answer: missing), Row(contentType: "Application/X-Amz-Json-1.1; charset=utf-8", status: 400, answer: missing),
        Row(more: ["identity"], status: 400, answer: missing), Row(body: " {\n\"bad json\" } ", status: 400, answer: missing),
    ]

    @Test(arguments: rows.indices)
    func `each gets AWS's answer`(_ index: Int) async throws {
        let row = Self.rows[index]
        var headers = [("host", TestService.host)]
        if let contentType = row.contentType { headers.append(("content-type", contentType)) }
        if let target = row.target { headers.append(("x-amz-target", target)) }
        for encoding in row.more { headers.append(("content-encoding", encoding)) }
        let answer = try await TestService().send(method: row.method, path: row.path, headers: headers, body: row.body)
        #expect(answer.status == row.status)
        #expect(answer.body == row.answer)
    }

    @Test func `a bad signature is refused before bad JSON is looked at`() async throws {
        let headers = [
            ("host", TestService.host), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.CreateSecret"),
            ("x-amz-date", "20260102T030405Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/secretsmanager/aws4_request, "
                    + "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=\(String(repeating: "0", count: 64))"
            ),
        ]
        let answer = try await TestService().send(headers: headers, body: "{bad}")
        #expect(answer.refusal.type == "InvalidSignatureException")
        #expect(answer.refusal.frontMessage?.hasPrefix("The request signature we calculated does not match") == true)
    }

    private func operation(_ target: String) -> (any Gateway.Operation.Type)? { OperationTable.operation(target: target.utf8.span.bytes) }

    @Test func `every operation of the model is there, once`() {
        #expect(operation("secretsmanager.getSecretValue") == nil)
        #expect(operation("") == nil)
        #expect(operation("secretsmanager." + String(repeating: "x", count: 100)) == nil)
        let names = OperationTable.all.map { $0.name }
        #expect(names.count == 26)
        #expect(Set(names).count == 26)
        for name in names { #expect(operation("secretsmanager.\(name)")?.name == name) }
    }

    // MARK: The log

    @Test func `one debug line per request tells operation, status and error, and nothing of the caller's`() async throws {
        let lines = LogLines()
        var logger = Logger(label: "test") { _ in lines.handler }
        logger.logLevel = .debug
        let service = try TestService(logger: logger)
        try await service.create("visible-name", "visible-value")
        try await service.ok("GetSecretValue", ["SecretId": "visible-name"])
        _ = try await service.call("GetSecretValue", ["SecretId": "none-such"])
        _ = try await service.call("PutSecretValue", ["SecretId": "x\nforged line", "SecretString": "visible-value"])
        _ = try await service.send(method: "GET", headers: [("host", "h"), ("x-amz-target", "forged")], body: "")
        let entries = lines.entries
        #expect(entries.map(\.message) == Array(repeating: "request answered", count: 5))
        #expect(entries.map { $0.metadata["operation"] } == ["CreateSecret", "GetSecretValue", "GetSecretValue", "PutSecretValue", "-"])
        #expect(entries.map { $0.metadata["status"] } == ["200", "200", "400", "400", "403"])
        #expect(
            entries.map { $0.metadata["error"] } == [nil, nil, "ResourceNotFoundException", "ValidationException", "AccessDeniedException"])
        for entry in entries {
            #expect(entry.metadata["request.id"]?.count == 36)
            #expect(entry.metadata["duration.us"].flatMap { Int($0) } != nil)
            for forbidden in ["visible", "forged", "none-such"] { #expect(!"\(entry)".contains(forbidden)) }
        }
    }
}

/// Keeps what is logged.
private final class LogLines: Sendable {
    struct Entry: Sendable {
        var message: String
        var metadata: [String: String]
    }

    private let storage = Mutex<[Entry]>([])
    var entries: [Entry] { storage.withLock { $0 } }
    var handler: Handler { Handler(lines: self) }

    struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        init(lines: LogLines) { self.lines = lines }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let entry = Entry(message: "\(event.message)", metadata: (event.metadata ?? [:]).mapValues { "\($0)" })
            lines.storage.withLock { $0.append(entry) }
        }
    }
}
