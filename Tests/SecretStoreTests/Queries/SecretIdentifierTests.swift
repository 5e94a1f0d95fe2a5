import Testing

@testable import SecretStore

@Suite("What a SecretId means: the rule of the reference, section 2.2")
struct SecretIdentifierTests {
    private static let prefix = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:"

    /// A `SecretId`, and what it is understood as.
    static let identifiers: [(text: String, meaning: String)] = [
        ("db", "name db"), ("db-a1b2c3", "name db-a1b2c3"), ("/a/b+c=d.e@f_g-h!", "name /a/b+c=d.e@f_g-h!"),
        ("\(prefix)db-a1b2c3", "full db a1b2c3"), ("\(prefix)db", "partial db"), ("\(prefix)db-a1b2", "partial db-a1b2"),
        ("\(prefix)db-a1b2c3-", "partial db-a1b2c3-"), ("\(prefix)db-a1b2c3-Zm8sMf", "full db-a1b2c3 Zm8sMf"),
        ("\(prefix)a/b-1234567", "partial a/b-1234567"), ("\(prefix)-a1b2c3", "invalid"), ("\(prefix)", "invalid"),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1b2c3", "elsewhere aws us-east-1"),
        ("arn:aws-cn:secretsmanager:eu-north-1:123456789012:secret:db", "elsewhere aws-cn eu-north-1"),
        ("arn:aws:secretsmanager:eu-north-1:12345678901:secret:db", "invalid"), ("arn:aws:kms:eu-north-1:123456789012:secret:db", "invalid"),
        ("arn:aws:secretsmanager:eu-north-1:123456789012:secret:db:x", "invalid"), ("arn:", "invalid"), ("ARN:x", "invalid"),
        ("", "invalid"), ("a b", "invalid"), (" a", "invalid"), ("a*", "invalid"), ("a\u{0}", "invalid"), ("caf\u{E9}", "invalid"),
    ]

    @Test("a text is a name, a full ARN, or an ARN without its suffix", arguments: identifiers)
    func parses(text: String, expected: String) {
        let found =
            switch SecretIdentifier(text, in: StoreFixture.scope) {
            case .name(let name): "name \(name)"
            case .arn(let arn): "full \(arn.name) \(arn.suffix)"
            case .partialARN(_, let name): "partial \(name)"
            case .elsewhere(let partition, let region): "elsewhere \(partition) \(region)"
            case .invalid: "invalid"
            }
        #expect(found == expected)
    }

    @Test("a name has 1 to 512 characters, within an ARN too")
    func lengths() {
        let longest = String(repeating: "n", count: 512)
        #expect(SecretName(longest) != nil)
        #expect(SecretName(longest + "n") == nil)
        guard case .arn(let arn) = SecretIdentifier(Self.prefix + longest + "-a1b2c3", in: StoreFixture.scope) else {
            Issue.record("a full ARN may hold the longest name")
            return
        }
        #expect(arn.name.rawValue == longest)
        #expect(SecretIdentifier(arn.description, in: StoreFixture.scope) == .arn(arn))
        #expect(SecretIdentifier(Self.prefix + longest + "n-a1b2c3", in: StoreFixture.scope) == .invalid)
    }

    @Test("names belong to the caller's account, ARNs to the one they name")
    func accounts() {
        let caller = StoreFixture.otherAccount
        #expect(SecretIdentifier("db", in: StoreFixture.scope).address(for: caller)?.key.account == caller)
        #expect(SecretIdentifier(Self.prefix + "db", in: StoreFixture.scope).address(for: caller)?.key.account == StoreFixture.account)
        let full = SecretIdentifier(Self.prefix + "db-a1b2c3", in: StoreFixture.scope).address(for: caller)
        #expect(full?.suffix == ARNSuffix("a1b2c3"))
        #expect(SecretIdentifier("arn:aws:secretsmanager:x:123456789012:secret:db", in: StoreFixture.scope).address(for: caller) == nil)
    }

    @Test("an account has twelve digits, with its leading zeros", arguments: ["000000000001", "123456789012", "999999999999"])
    func accountIDs(text: String) {
        #expect(AccountID(text)?.description == text)
        #expect(AccountID(String(text.dropLast())) == nil)
        #expect(AccountID(text + "0") == nil)
        #expect(AccountID(text.dropLast() + "x") == nil)
        #expect(AccountID(text.dropLast() + "\u{661}") == nil)
    }

    @Test("random suffixes have six letters or digits and differ")
    func suffixes() {
        var generator = SeededGenerator(seed: 1)
        let suffixes = (0..<1_000).map { _ in ARNSuffix.random(using: &generator).rawValue }
        #expect(Set(suffixes).count == 1_000)
        #expect(Set(suffixes.joined()).count == 62)
        #expect(ARNSuffix("a1b2c") == nil && ARNSuffix("a1b2c-") == nil && ARNSuffix("a1b2c3d") == nil)
    }

    @Test("a clock outside of 1970 to 9999 is moved to the nearer end")
    func timestamps() {
        #expect(Timestamp(millisecondsSince1970: .min).millisecondsSince1970 == 0)
        #expect(Timestamp(millisecondsSince1970: .max).adding(days: 30).millisecondsSince1970 == Timestamp.latestMilliseconds)
        #expect(Timestamp(millisecondsSince1970: 86_399_999).day.daysSince1970 == 0)
        #expect(Timestamp(millisecondsSince1970: 86_400_000).day.start.millisecondsSince1970 == 86_400_000)
    }
}
