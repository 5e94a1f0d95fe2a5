import OpenSSL
import Testing

@testable import ClusterIdentity

private func reveal(_ secret: SecretBytes) -> String { secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8.span.bytes) }

@Suite("Join tokens")
struct JoinTokenTests {
    let token: JoinToken

    init() throws {
        token = .make(authority: try CertificateAuthority.make(commonName: "A", validityDays: 10, now: 1_800_000_000).certificate)
    }

    @Test("a token comes back from its text, also with blanks around it")
    func roundTrip() throws {
        let text = reveal(token.text())
        #expect(text.hasPrefix("conclave-join-v1.") && text.utf8.count == 103)
        for form in [text, text + "\n", "  \(text)\r\n"] {
            let read = try #require(JoinToken(text: secret(form)))
            #expect(read.authority == token.authority && read.secretHash == token.secretHash)
        }
    }

    @Test("the text is fixed: base64url of the secret and the hash")
    func golden() throws {
        let fixed = JoinToken(
            secret: SecretBytes(count: 32) { for i in 0..<32 { $0[i] = UInt8(i) } }, authority: SHA256.hash("abc".utf8.span.bytes))
        // From: python3 -c "import base64,hashlib;print(base64.urlsafe_b64encode(bytes(range(32))+hashlib.sha256(b'abc').digest()))"
        #expect(reveal(fixed.text()) == "conclave-join-v1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-6eBa_jwHP6kFBQN5driIjsANho5YXepy0EP9h8gAVrQ")
    }

    @Test("no two tokens are alike, and a token tells nothing of itself")
    func redacted() throws {
        let other = JoinToken(secret: .random(count: 32), authority: token.authority)
        #expect(other.secretHash != token.secretHash)
        var dumped = ""
        dump(token, to: &dumped)
        #expect("\(token)" == "<redacted>" && String(reflecting: token) == "<redacted>" && !dumped.contains("authority"))
        #expect("\(token.text())" == "<redacted>")
    }

    @Test("text that was cut, lengthened or misspelt is no token")
    func malformed() {
        let text = reveal(token.text())
        for count in 0..<text.utf8.count { #expect(JoinToken(text: secret(String(text.prefix(count)))) == nil) }
        for other in [text + "A", "conclave-join-v2." + text.dropFirst(17), text.replacing(".", with: ":"), text.uppercased(), String(text.dropLast()) + "="] {
            #expect(JoinToken(text: secret(other)) == nil)
        }
        for bad in ["+", "/", " ", "\u{0}", "@", "[", "`", "{", "ä"] { #expect(JoinToken(text: secret(text.dropLast(9) + bad + text.suffix(9 - bad.utf8.count))) == nil) }
        // The last digit stands for four bits: one with the others set is another spelling of the same bytes.
        let last = text.last.map { String($0) } ?? ""
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".map { String($0) }
        for digit in alphabet where digit != last {
            let read = JoinToken(text: secret(text.dropLast() + digit))
            #expect(read == nil || read?.authority != token.authority)
        }
    }

    @Test("base64url is that of RFC 4648", arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"), ("\u{3FB}\u{7FF}>?", "z7vfvz4_")])
    func base64(plain: String, encoded: String) {
        let text = SecretBytes(count: encoded.utf8.count) { text in Array(plain.utf8).withUnsafeBytes { Base64URL.encode($0, into: text) } }
        #expect(reveal(text) == encoded)
        var isValid = false
        let back = SecretBytes(count: plain.utf8.count) { isValid = Base64URL.decode(encoded.utf8, into: $0) }
        #expect(isValid && reveal(back) == plain)
    }
}
