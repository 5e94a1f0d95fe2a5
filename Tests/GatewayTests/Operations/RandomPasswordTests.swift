import OpenSSL
import Testing

@testable import Gateway

@Suite("GetRandomPassword", .timeLimit(.minutes(1)))
struct RandomPasswordTests {
    static let lower = Set("abcdefghijklmnopqrstuvwxyz")
    static let upper = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    static let digits = Set("0123456789")
    static let punctuation = Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")

    private func password(_ members: [String: any Sendable], _ service: TestService) async throws -> String {
        let answer = try await service.ok("GetRandomPassword", members)
        #expect(answer.names == ["RandomPassword"])
        return try #require(answer.string("RandomPassword"))
    }

    @Test func `by default there are 32 characters, some of every class, and no space`() async throws {
        let service = try TestService()
        for _ in 0..<50 {
            let text = try await password([:], service)
            #expect(text.count == 32)
            for set in [Self.lower, Self.upper, Self.digits, Self.punctuation] { #expect(!set.isDisjoint(with: text)) }
            #expect(text.allSatisfy { $0.isASCII && $0 > " " && $0 <= "~" })
        }
    }

    static let exclusions: [([String: any Sendable], Set<Character>)] = [
        (["ExcludeLowercase": true], upper.union(digits).union(punctuation)), (["ExcludeUppercase": true], lower.union(digits).union(punctuation)),
        (["ExcludeNumbers": true], lower.union(upper).union(punctuation)), (["ExcludePunctuation": true], lower.union(upper).union(digits)),
        (["ExcludePunctuation": true, "IncludeSpace": true], lower.union(upper).union(digits).union([" "])),
        (["ExcludeCharacters": "\"@/\\abcXYZ019", "IncludeSpace": true], lower.union(upper).union(digits).union(punctuation).union([" "]).subtracting("\"@/\\abcXYZ019")),
        (["ExcludeCharacters": " ", "IncludeSpace": true, "ExcludePunctuation": true], lower.union(upper).union(digits)),
        (
            ["ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludeNumbers": true, "ExcludePunctuation": true, "IncludeSpace": true], [" "]
        ),
        (["ExcludeCharacters": "0123456789", "RequireEachIncludedType": false], lower.union(upper).union(punctuation)),
    ]

    @Test(arguments: exclusions.indices)
    func `all of the pool and nothing else is drawn, at full length`(_ row: Int) async throws {
        let (members, pool) = Self.exclusions[row]
        let text = try await password(members.merging(["PasswordLength": 4096]) { $1 }, TestService())
        #expect(text.count == 4096)
        #expect(Set(text) == pool)
    }

    @Test func `the shortest password has one of each required class`() async throws {
        let service = try TestService()
        for _ in 0..<100 {
            let text = try await password(["PasswordLength": 4], service)
            for set in [Self.lower, Self.upper, Self.digits, Self.punctuation] { #expect(text.filter(set.contains).count == 1) }
        }
        #expect(try await password(["PasswordLength": 1, "RequireEachIncludedType": false], service).count == 1)
    }

    static let refusals: [([String: any Sendable], Refusal)] = [
        (["ExcludeCharacters": "0123456789"], .parameter("All characters of the desired type have been excluded")),
        (["PasswordLength": 3], .parameter("Password length is too short based on the required types")),
        (["PasswordLength": 2, "ExcludeNumbers": true], .parameter("Password length is too short based on the required types")),
        (
            ["ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludeNumbers": true, "ExcludePunctuation": true],
            .parameter("All characters have been excluded from selection")
        ),
        (
            ["PasswordLength": 5555],
            .validation(
                "1 validation error detected: Value '5555' at 'passwordLength' failed to satisfy constraint: Member must have value less than or "
                    + "equal to 4096")
        ),
        (
            ["PasswordLength": 0],
            .validation(
                "1 validation error detected: Value '0' at 'passwordLength' failed to satisfy constraint: Member must have value greater than or "
                    + "equal to 1")
        ),
    ]

    @Test(arguments: refusals.indices)
    func `what cannot be drawn is refused`(_ row: Int) async throws {
        let (members, refusal) = Self.refusals[row]
        #expect(try await TestService().call("GetRandomPassword", members).refusal == refusal)
    }

    /// With a seeded generator, so that the test either always passes or never.
    @Test func `every character is as likely as any other, at every position`() throws {
        let recipe = try RandomPasswordRecipe(
            length: 8, classes: [.lowercase, .numbers], includesSpace: false, excluding: "", requiresEachClass: false)
        var generator = SeededGenerator(seed: 7)
        var counts: [UInt8: Int] = [:]
        let rounds = 9_000
        for _ in 0..<rounds { recipe.password(using: &generator).withUnsafeBytes { for byte in $0 { counts[byte, default: 0] += 1 } } }
        #expect(counts.count == 36)
        // 2,000 of each; 35 degrees of freedom: chi-squared above 66.6 has a chance of 0.1 %.
        let expected = Double(rounds * 8) / 36
        let chiSquared = counts.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquared < 66.6)
    }

    @Test func `a required character is at any position`() throws {
        let recipe = try RandomPasswordRecipe(
            length: 4, classes: [.lowercase, .uppercase, .numbers, .punctuation], includesSpace: false, excluding: "", requiresEachClass: true)
        var generator = SeededGenerator(seed: 11)
        var positions = [0, 0, 0, 0]
        for _ in 0..<4_000 {
            recipe.password(using: &generator).withUnsafeBytes { bytes in
                for (index, byte) in bytes.enumerated() where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { positions[index] += 1 }
            }
        }
        // 1,000 each; five standard deviations are 137.
        for count in positions { #expect(abs(count - 1_000) < 137) }
    }
}
