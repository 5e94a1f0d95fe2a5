import OpenSSL
import Testing

@testable import Access

/// Making keys and account numbers, and checking those of the operator.
struct AccessKeyTests {
    @Test func `a new key has AWS's form and works`() throws {
        let key = AccessKey.random(account: Example.account, generation: 7)
        #expect(key.id.utf8.count == 20 && key.id.hasPrefix("AKIA"))
        #expect(key.id.dropFirst(4).utf8.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8.contains($0) })
        #expect(AccessKey.isWellFormed(id: key.id))
        #expect(key.secret.count == 40 && AccessKey.isWellFormed(secret: key.secret.bytes))
        #expect(key.isActive && key.account == Example.account && key.generation == 7)

        let signer = RequestSigner(accessKeyID: key.id, secret: key.secret, region: "eu-north-1", service: "secretsmanager")
        var request = Example.request
        request["X-Amz-Date"] = nil
        request.headers += signer.sign(headers: request.headers, body: request.body.utf8Array.span.bytes, now: Example.now)
        let verifier = RequestVerifier(region: "eu-north-1", service: "secretsmanager", partition: "aws-x") { $0 == key.id ? key : nil }
        #expect(verifier.verdict(request) == .accepted(Principal(rootOf: Example.account, accessKeyID: key.id, partition: "aws-x")))
    }

    @Test func `keys use every character of their alphabets and do not repeat`() {
        let keys = (0..<200).map { _ in AccessKey.random(account: Example.account, generation: 0) }
        #expect(Set(keys.map(\.id)).count == keys.count)
        #expect(Set(keys.flatMap { $0.id.dropFirst(4) }).count == 32)
        #expect(Set(keys.flatMap { key in key.secret.withUnsafeBytes { Array($0) } }).count == 64)
    }

    @Test func `a key does not print its secret`() {
        let key = Example.key()
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] { #expect(!text.contains("wJalr")) }
    }

    @Test(arguments: [
        ("AKIAEXAMPLEEXAMPLE22", true), ("AKIA_lower_16chr", true), (String(repeating: "a", count: 128), true),
        (String(repeating: "a", count: 129), false), (String(repeating: "a", count: 15), false), ("", false),
        ("ASIAEXAMPLEEXAMPLE22", false), ("AKIAEXAMPLE/EXAMPLE2", false), ("AKIAEXAMPLE EXAMPLE2", false),
        ("AKIAEXAMPLE\u{e9}XAMPLE2", false),
    ])
    func `ids of an operator's keys are checked`(id: String, isWellFormed: Bool) {
        #expect(AccessKey.isWellFormed(id: id) == isWellFormed)
    }

    @Test(arguments: [
        ("", 40, true), ("", 41, false), ("", 39, false), ("", 0, false), ("=", 40, false), ("-", 40, false), ("\u{e9}", 40, false),
        ("+/", 40, true),
    ])
    func `secrets of an operator's keys are checked`(end: String, byteCount: Int, isWellFormed: Bool) {
        let secret = String(repeating: "a", count: byteCount - end.utf8.count) + end
        #expect(AccessKey.isWellFormed(secret: secret.utf8Array.span.bytes) == isWellFormed)
    }

    @Test(arguments: [
        ("123456789012", true), ("000000000000", true), ("12345678901", false), ("1234567890123", false), ("12345678901a", false),
        ("12345678901\u{660}", false), ("", false),
    ])
    func `account numbers are twelve digits`(text: String, isWellFormed: Bool) {
        #expect(AccountNumber.isWellFormed(text) == isWellFormed)
    }

    @Test func `new account numbers are twelve digits and do not begin with 0`() {
        for _ in 0..<100 {
            let number = AccountNumber.random()
            #expect(AccountNumber.isWellFormed(number) && !number.hasPrefix("0"))
        }
    }

    @Test(arguments: [
        ("19700101T000000Z", 0), ("20150830T123600Z", 1_440_938_160), ("20000229T235959Z", 951_868_799),
        ("20240229T000000Z", 1_709_164_800), ("21000228T235959Z", 4_107_542_399), ("21000301T000000Z", 4_107_542_400),
        ("99991231T235959Z", 253_402_300_799), ("19691231T235959Z", -1), ("00010101T000000Z", -62_135_596_800),
    ])
    func `times are read and written`(text: String, seconds: Int64) {
        let bytes = text.utf8Array
        #expect(SigningTime(0..<bytes.count, of: bytes.span.bytes)?.secondsSince1970 == seconds)
        #expect(SigningTime(secondsSince1970: seconds).text == text)
    }

    @Test func `every day of four centuries is read back as it was written`() {
        for day in stride(from: -135_140, through: 146_097, by: 1) as StrideThrough<Int64> {
            let time = SigningTime(secondsSince1970: day * 86_400 + 1)
            let bytes = time.text.utf8Array
            if SigningTime(0..<bytes.count, of: bytes.span.bytes) != time { Issue.record("\(time.text)") }
        }
    }

    @Test func `the second of a moment is the one it lies in`() {
        #expect(SigningTime(millisecondsSince1970: 1_999).secondsSince1970 == 1)
        #expect(SigningTime(millisecondsSince1970: -1).secondsSince1970 == -1)
    }
}
