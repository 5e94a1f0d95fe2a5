import SecretStore
import Testing

@testable import Gateway

@Suite("Filters of ListSecrets, apart from the store")
struct WordsTests {
    @Test(arguments: [
        ("SecretOne", ["secret", "one"]), ("COMPANYthings", ["compan", "ythings"]), ("COMPANY", ["company"]), ("one two", ["one", "two"]),
        ("  one\t two\n", ["one", "two"]), ("my/secret", ["my", "secret"]), ("a.b.c", ["a", "b", "c"]), ("a@b", ["a", "b"]),
        ("x=1", ["x", "1"]), ("db12prod", ["db", "12", "prod"]), ("credsDatabase#892", ["creds", "database", "892"]),
        ("prod-AppBeta/x", ["prod-appbeta/x"]), ("my-db/x other-word", ["my-db/x", "other", "word"]), ("--a--", ["a"]), ("/", []), ("-", []),
        ("", []), ("one, two; three", ["one", "two", "three"]), ("Ünicode größe", ["ünicode", "größe"]), ("A", ["a"]), ("ABc", ["a", "bc"]),
    ])
    func `texts fall apart into words`(_ text: String, _ words: [String]) {
        // ASCII letters are folded; "Ü" is two bytes that count as lower case and stay as they are.
        let expected = words.map { word in word == "ünicode" ? "Ünicode" : word }
        #expect(Words.split(text).map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    /// A filter, a secret, and whether the one selects the other.
    struct Row: Sendable {
        var key: String
        var values: [String]
        var name = "the-name"
        var description: String?
        var tags: [String: String] = [:]
        var isSelected: Bool
    }

    static func description(_ value: String, _ description: String, _ isSelected: Bool) -> Row {
        Row(key: "description", values: [value], description: description, isSelected: isSelected)
    }
    static func all(_ value: String, _ name: String, _ isSelected: Bool) -> Row {
        Row(key: "all", values: [value], name: name, isSelected: isSelected)
    }

    /// Every example of behaviour 3.4.
    static let recorded: [Row] = [
        description("a secret", "a secret", true), description("a secret", "an secret", true), description("a secret", "asecret", false),
        description("a secret", "thesecret", false), description("a", "asecret", true), description("a", "thesecret", false),
        description("one two", "one and two", true), description("one two", "one two", true), description("one two", "one", false),
        description("one two", "two", false), description("one two", "unrelated", false), description("o t", "one two", true),
        description("t", "two", true), description("ONE", "one and two", true), description("two one", "one and two", true),
        description("!a", "a secret", false), description("!a", "an secret", false), description("!a", "asecret", false),
        description("!a", "thesecret", true), description("!c", "a secret", true), description("!c", "thesecret", true),
        Row(key: "description", values: ["one"], description: nil, isSelected: false),
        Row(key: "description", values: ["!one"], description: nil, isSelected: true),
        Row(key: "description", values: ["one", "!two"], description: "one two", isSelected: true),
        Row(key: "description", values: ["one", "!two"], description: "two", isSelected: false),
        Row(key: "description", values: ["one", "!two"], description: "unrelated", isSelected: true),
        Row(key: "name", values: ["/"], name: "/leading", isSelected: true), Row(key: "name", values: ["/"], name: "not/leading", isSelected: false),
        Row(key: "name", values: ["!/"], name: "/leading", isSelected: false), Row(key: "name", values: ["!/"], name: "not", isSelected: true),
        Row(key: "name", values: ["testing1 one"], name: "testing1/one", isSelected: false),
        Row(key: "name", values: ["Data"], name: "DatabaseSecret", isSelected: true),
        Row(key: "name", values: ["Data"], name: "databaseSecret", isSelected: false), Row(key: "name", values: ["Data"], name: "MyData", isSelected: false),
        Row(key: "name", values: ["x", "the"], isSelected: true),
        Row(key: "tag-key", values: ["te"], tags: ["team": "blue"], isSelected: true),
        Row(key: "tag-key", values: ["Te"], tags: ["team": "blue"], isSelected: false),
        Row(key: "tag-key", values: ["!te"], tags: ["team": "blue", "zone": "a"], isSelected: false),
        Row(key: "tag-value", values: ["bl"], tags: ["team": "blue"], isSelected: true),
        Row(key: "tag-value", values: ["team"], tags: ["team": "blue"], isSelected: false),
        Row(key: "tag-value", values: ["ue"], tags: ["team": "blue"], isSelected: false),
        all("Secret", "SecretOne", true), all("One", "SecretOne", true), all("sec", "SecretOne", true), all("ret", "SecretOne", false),
        all("compan", "COMPANYthings", true), all("ythings", "COMPANYthings", true), all("things", "COMPANYthings", false),
        all("pany", "COMPANYthings", false), all("company", "COMPANY", true), all("pany", "COMPANY", false), all("/", "a/b", false), all("-", "a-b", false),
        all("AppBeta", "prod-AppBeta", true), all("AppBeta", "prod-AppBeta/x", false), all("prod", "prod-AppBeta/x", true),
        all("name", "my/dash-name", false), all("my", "my/dash-name", true), all("my/dash-n", "my/dash-name", true),
        Row(key: "all", values: ["words"], description: "some words", isSelected: true),
        Row(key: "all", values: ["blue"], tags: ["team": "DarkBlue"], isSelected: true),
        Row(key: "all", values: ["TEAM"], tags: ["team": "blue"], isSelected: true),
        // All words within one attribute.
        Row(key: "all", values: ["some blue"], description: "some words", tags: ["team": "blue"], isSelected: false),
        Row(key: "owning-service", values: ["n/a"], isSelected: false), Row(key: "owning-service", values: ["!rds"], isSelected: true),
        Row(key: "primary-region", values: ["us"], isSelected: false), Row(key: "primary-region", values: ["!us"], isSelected: true),
        // Nothing behind the mark: the empty beginning is everybody's, the empty word nobody's.
        Row(key: "name", values: [""], isSelected: true), Row(key: "name", values: ["!"], isSelected: false),
        Row(key: "all", values: [""], isSelected: false), Row(key: "all", values: ["!"], isSelected: true),
    ]

    @Test(arguments: recorded.indices)
    func `filters select what AWS's do`(_ index: Int) throws {
        let row = Self.recorded[index]
        let filters = try FilterSet([filter(row.key, row.values)])
        let tags = row.tags.map { Tag(key: TagKey($0.key), value: $0.value) }
        #expect(filters.matches(name: row.name, description: row.description, tags: tags) == row.isSelected, "\(row)")
    }

    @Test func `two filters must both match, also with the same key`() throws {
        let filters = try FilterSet([filter("description", ["one"]), filter("description", ["two"]), filter("name", ["n"])])
        #expect(filters.matches(name: "n", description: "one two", tags: []))
        #expect(!filters.matches(name: "n", description: "one", tags: []))
        #expect(!filters.matches(name: "m", description: "one two", tags: []))
    }

    @Test func `a filter needs a key and values`() {
        #expect(throws: APIError(.invalidParameter, "Invalid filter key")) { try FilterSet([filter(nil, ["v"])]) }
        #expect(throws: APIError(.invalidParameter, "Invalid filter values for key: tag-key")) { try FilterSet([filter("tag-key", nil)]) }
    }

    private func filter(_ key: String?, _ values: [String]?) -> Filter {
        var object: [JSONMember] = []
        if let key { object.append(JSONMember(name: "Key", value: .string(key))) }
        if let values { object.append(JSONMember(name: "Values", value: .array(values.map { .string($0) }))) }
        var members = Members(.object(object))
        return Filter(reading: &members)
    }
}
