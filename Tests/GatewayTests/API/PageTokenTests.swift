import Keyring
import OpenSSL
import SecretStore
import Testing

@testable import Gateway

@Suite("Page tokens")
struct PageTokenTests {
    let keyring = Keyring.forTesting()
    let now = Timestamp(millisecondsSince1970: 1_767_323_045_678)
    let scope = PageTokens.Scope(operation: "ListSecrets", principal: "arn:aws:iam::123456789012:root", parameters: ["a", "b"])

    @Test func `a cursor comes back as it was, on any node of the cluster`() throws {
        let cursor = (0..<200).map { UInt8($0) }
        let token = PageTokens(keyring: keyring).token(cursor: cursor, scope, now: now)
        #expect(try PageTokens(keyring: keyring).cursor(in: token, scope, now: now) == cursor)
        #expect(PageTokens(keyring: keyring).token(cursor: Array(repeating: 1, count: 512), scope, now: now).utf8.count <= 4096)
    }

    @Test func `another cluster's token is refused`() {
        let token = PageTokens(keyring: .forTesting()).token(cursor: [1], scope, now: now)
        #expect(throws: APIError.invalidNextToken) { try PageTokens(keyring: keyring).cursor(in: token, scope, now: now) }
    }

    @Test func `no bit of a token can be changed`() throws {
        let tokens = PageTokens(keyring: keyring)
        let token = tokens.token(cursor: [1, 2, 3], scope, now: now)
        let bytes = Base64.decode(token.utf8.span.bytes)
        let decoded = try #require(bytes).withUnsafeBytes { [UInt8]($0) }
        for index in decoded.indices {
            for bit in 0..<8 {
                var changed = decoded
                changed[index] ^= 1 << UInt8(bit)
                let text = PageTokens.base64(changed)
                #expect(throws: APIError.invalidNextToken) { try tokens.cursor(in: text, scope, now: now) }
            }
        }
        for length in decoded.indices {
            #expect(throws: APIError.invalidNextToken) { try tokens.cursor(in: PageTokens.base64(Array(decoded[..<length])), scope, now: now) }
        }
    }

    @Test(arguments: [
        PageTokens.Scope(operation: "BatchGetSecretValue", principal: "arn:aws:iam::123456789012:root", parameters: ["a", "b"]),
        PageTokens.Scope(operation: "ListSecrets", principal: "arn:aws:iam::210987654321:root", parameters: ["a", "b"]),
        PageTokens.Scope(operation: "ListSecrets", principal: "arn:aws:iam::123456789012:root", parameters: ["ab", ""]),
        PageTokens.Scope(operation: "ListSecrets", principal: "arn:aws:iam::123456789012:root", parameters: ["a"]),
        PageTokens.Scope(operation: "ListSecrets", principal: "arn:aws:iam::123456789012:root", parameters: ["b", "a"]),
    ])
    func `another operation, caller or request is refused`(_ other: PageTokens.Scope) {
        let tokens = PageTokens(keyring: keyring)
        let token = tokens.token(cursor: [1], scope, now: now)
        #expect(throws: APIError.invalidNextToken) { try tokens.cursor(in: token, other, now: now) }
    }

    @Test func `a token is good for a day`() throws {
        let tokens = PageTokens(keyring: keyring)
        let token = tokens.token(cursor: [1], scope, now: now)
        let day: Int64 = 86_400_000
        #expect(try tokens.cursor(in: token, scope, now: Timestamp(millisecondsSince1970: now.millisecondsSince1970 + day)) == [1])
        #expect(throws: APIError.invalidNextToken) {
            try tokens.cursor(in: token, scope, now: Timestamp(millisecondsSince1970: now.millisecondsSince1970 + day + 1))
        }
    }
}
