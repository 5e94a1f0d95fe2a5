import Foundation
import Keyring
import NIOCore
import OpenSSL
import SecretStore
import Testing

@testable import Gateway

@Suite("The answer of GetSecretValue, written by hand, against a generic writer")
struct HotPathEncodingTests {
    static let texts = [
        "plain", "\"quotes\" \\ / \u{8}\u{c}\n\r\t", "\u{0}\u{1}\u{1f}\u{7f}\u{80}", "ünï €🔑 e\u{301}", "\u{2028}\u{2029}", #"{"a":"b\n"}"#,
        String(repeating: "\u{1}", count: 20_000), String(repeating: "x", count: 65_536),
    ]

    @Test(arguments: texts)
    func `texts are equal`(_ text: String) throws {
        let output = self.output(SecretBytes(copying: text.utf8.span.bytes), .string, [.current, StagingLabel("my \"label\"")])
        try compare(
            output,
            [
                "ARN": output.arn, "Name": "n/\"x", "VersionId": "v\u{1F511}", "SecretString": text,
                "VersionStages": ["AWSCURRENT", "my \"label\""], "CreatedDate": 1_767_323_045.678,
            ])
    }

    @Test(arguments: [0, 1, 2, 3, 255, 65_536])
    func `bytes are equal`(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let output = self.output(SecretBytes(copying: bytes.span.bytes), .binary, [])
        try compare(
            output,
            [
                "ARN": output.arn, "Name": "n/\"x", "VersionId": "v\u{1F511}", "SecretBinary": Data(bytes).base64EncodedString(),
                "CreatedDate": 1_767_323_045.678,
            ])
    }

    private func output(_ value: SecretBytes, _ kind: ValueKind, _ labels: [StagingLabel]) -> SecretValueOutput {
        SecretValueOutput(
            arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:n-abcdef", name: "n/\"x", versionID: "v\u{1F511}", kind: kind, value: value,
            labels: labels, createdAt: Timestamp(millisecondsSince1970: 1_767_323_045_678))
    }

    private func compare(_ output: SecretValueOutput, _ expected: [String: Any]) throws {
        let body = GetSecretValue.encode(output)
        let read = try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? NSDictionary
        let generic = try JSONSerialization.jsonObject(with: JSONSerialization.data(withJSONObject: expected)) as? NSDictionary
        #expect(read == generic)
    }
}
