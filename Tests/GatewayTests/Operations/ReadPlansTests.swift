import Foundation
import NIOCore
import OpenSSL
import SecretStore
import Testing

@testable import Gateway

@Suite("GetSecretValue, asked again", .timeLimit(.minutes(1)))
struct ReadPlansTests {
    let service: TestService
    init() throws { service = try TestService() }

    private func body(_ members: [String: String]) -> String {
        "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
    }

    private func isPlanned(_ body: String) -> Bool {
        service.services.readPlans.find(body.utf8.span.bytes, account: TestService.account) != nil
    }

    /// Asks until the answer has a plan: the first read of a day leaves its day, which is stored a little later.
    @discardableResult
    private func ask(_ members: [String: String]) async throws -> TestAnswer {
        let body = body(members)
        var answer = try await service.call("GetSecretValue", json: body)
        while !isPlanned(body) {
            service.recorder.flush()
            await withCheckedContinuation { continuation in service.log.applier.whenEverythingIsVisible { continuation.resume() } }
            answer = try await service.call("GetSecretValue", json: body)
            guard answer.status == 200 else { return answer }
        }
        return answer
    }

    @Test(arguments: [
        "", "v", "plain text of some length, so that more than a word is looked at", "\"quoted\" and \\", "line\nline\u{1}", "ünï €🔑",
        String(repeating: "x", count: 65_536), String(repeating: "\u{1}", count: 9_000),
    ])
    func `a text is answered as the first time`(_ text: String) async throws {
        guard !text.isEmpty else { return try await emptyText() }
        try await service.create("s", text)
        let first = try await ask(["SecretId": "s"])
        let again = try await service.call("GetSecretValue", json: body(["SecretId": "s"]))
        #expect(first.string("SecretString") == text)
        #expect(again.body == first.body && again.status == 200 && again.contentType == first.contentType)
    }

    private func emptyText() async throws {
        #expect(try await service.call("CreateSecret", ["Name": "s", "SecretString": "", "ClientRequestToken": newToken()]).status == 400)
    }

    @Test(arguments: [1, 2, 3, 255, 65_536])
    func `bytes are answered as the first time`(_ count: Int) async throws {
        let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }).base64EncodedString()
        try await service.ok("CreateSecret", ["Name": "s", "SecretBinary": bytes, "ClientRequestToken": newToken()])
        let first = try await ask(["SecretId": "s"])
        let again = try await service.call("GetSecretValue", json: body(["SecretId": "s"]))
        #expect(again.string("SecretBinary") == bytes)
        #expect(again.body == first.body)
    }

    @Test func `a new version, a moved label, a deletion and a restoration are seen at once`() async throws {
        let one = try await service.create("s", "one")
        let question = body(["SecretId": "s"])
        try await ask(["SecretId": "s"])
        let two = try await service.put("s", "two")
        #expect(try await service.call("GetSecretValue", json: question).string("SecretString") == "two")
        try await ask(["SecretId": "s"])
        try await service.ok(
            "UpdateSecretVersionStage", ["SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": one, "RemoveFromVersionId": two])
        #expect(try await service.call("GetSecretValue", json: question).string("SecretString") == "one")
        try await ask(["SecretId": "s"])
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        #expect(try await service.call("GetSecretValue", json: question).status == 400)
        try await service.ok("RestoreSecret", ["SecretId": "s"])
        #expect(try await service.call("GetSecretValue", json: question).string("SecretString") == "one")
    }

    @Test func `a secret of the same name made anew is another secret`() async throws {
        try await service.create("s", "old")
        let question = body(["SecretId": "s"])
        try await ask(["SecretId": "s"])
        try await service.ok("DeleteSecret", ["SecretId": "s", "ForceDeleteWithoutRecovery": true])
        #expect(try await service.call("GetSecretValue", json: question).refusal == .notFound)
        try await service.create("s", "new")
        #expect(try await service.call("GetSecretValue", json: question).string("SecretString") == "new")
    }

    @Test func `versions and labels that were asked for have plans of their own`() async throws {
        let one = try await service.create("s", "one")
        try await service.put("s", "two")
        for _ in 0..<2 {
            #expect(try await ask(["SecretId": "s"]).string("SecretString") == "two")
            #expect(try await ask(["SecretId": "s", "VersionId": one]).string("SecretString") == "one")
            #expect(try await ask(["SecretId": "s", "VersionStage": "AWSPREVIOUS"]).string("SecretString") == "one")
        }
    }

    @Test func `a plan is for one account and for one body`() async throws {
        try await service.create("s")
        try await ask(["SecretId": "s"])
        let question = body(["SecretId": "s"])
        #expect(isPlanned(question))
        #expect(!isPlanned(question + " "))
        let ofAnother = service.services.readPlans.find(question.utf8.span.bytes, account: "000000000000")
        #expect(ofAnother == nil)
    }

    @Test func `a body without a valid signature is never recalled`() async throws {
        try await service.create("s", "value")
        try await ask(["SecretId": "s"])
        let answer = try await service.send(
            headers: [("host", TestService.host), ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue")],
            body: body(["SecretId": "s"]))
        #expect(answer.refusal.type == "MissingAuthenticationTokenException")
    }

    @Test func `the first read of another day goes the long way and leaves its day`() async throws {
        try await service.create("s")
        try await ask(["SecretId": "s"])
        service.advance(days: 1)
        let question = body(["SecretId": "s"])
        let plan = service.services.readPlans.find(question.utf8.span.bytes, account: TestService.account)
        #expect(plan != nil && plan?.answer(at: service.now, service.services) == nil)
        try await service.ok("GetSecretValue", ["SecretId": "s"])
        let day = try await service.ok("DescribeSecret", ["SecretId": "s"]).json["LastAccessedDate"] as? Double
        #expect(day.map { Int64($0 * 1000) } == service.now.day.start.millisecondsSince1970)
    }

    @Test func `what nobody uses for two ages is forgotten, what is used stays`() async throws {
        try await service.create("used")
        try await service.create("unused")
        try await ask(["SecretId": "unused"])
        try await ask(["SecretId": "used"])
        for _ in 0..<2 {
            for _ in 0..<ReadPlans.ticksPerAge { service.services.readPlans.age() }
            if isPlanned(body(["SecretId": "used"])) { continue }
            Issue.record("a plan that was used in the last age is gone")
        }
        #expect(!isPlanned(body(["SecretId": "unused"])))
    }

    @Test func `a body that is too long is not remembered`() async throws {
        try await service.create("s")
        try await ask(["SecretId": "s"])
        let long = body(["SecretId": "s"]).dropLast() + String(repeating: " ", count: ReadPlans.bodyByteCountMax) + "}"
        #expect(try await service.call("GetSecretValue", json: String(long)).status == 200)
        #expect(!isPlanned(String(long)))
    }
}

@Suite("Bytes that need an escape")
struct JSONEscapeTests {
    @Test func `every byte at every place of a text is judged as one by one`() {
        for length in [1, 7, 8, 9, 16, 21] {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                    text[place] = byte
                    let needed = text.withUnsafeBytes { JSONEscape.isNeeded(in: $0) }
                    #expect(needed == (byte < 0x20 || byte == 0x22 || byte == 0x5C), "\(byte) at \(place) of \(length)")
                }
            }
        }
    }

    @Test func `a text that lies inside the lent memory is moved to its place`() {
        for (text, expected) in [("abc", #""abc""#), ("", #""""#), ("a\"b", #""a\"b""#)] {
            var json = JSONWriter(capacity: 1)
            json.beginArray()
            json.string(ofAtMost: 32) { space in
                space.copyBytes(from: [1, 2, 3, 4] + Array(text.utf8) + [9])
                return 4..<(4 + text.utf8.count)
            }
            json.endArray()
            #expect(String(buffer: json.finish()) == "[\(expected)]")
        }
    }
}
