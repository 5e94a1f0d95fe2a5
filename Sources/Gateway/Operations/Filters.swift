internal import SecretStore

/// What a filter of ListSecrets and BatchGetSecretValue looks at. The order is that of AWS's validation text, as far as it is known; the
/// last two were added to the service later (open question 4 of the reference).
enum FilterKey: String, CaseIterable, Sendable {
    case all
    case name
    case tagKey = "tag-key"
    case description
    case tagValue = "tag-value"
    case primaryRegion = "primary-region"
    case owningService = "owning-service"
}

/// A filter as it comes in. The model requires neither member; the service does (``FilterSet/init(_:)``).
struct Filter: InputStructure {
    let key: String?
    let values: [String]?

    init(reading members: inout Members) {
        key = members.optional("Key", Shapes.filterKey)
        values = members.optional("Values", Shapes.filterValues)
    }
}

/// The filters of one call: all of them must match (also two with the same key), each by any of its values. A value that begins with
/// `!` matches what the rest of it does not match (behaviour 3.4).
struct FilterSet: Sendable {
    private let filters: [Test]

    private struct Test: Sendable {
        let key: FilterKey
        let values: [Value]
    }

    private struct Value: Sendable {
        let isNegated: Bool
        let text: String
        /// `text` in words, for the keys that match by words.
        let words: [[UInt8]]
    }

    /// - Throws: InvalidParameterException for a filter that lacks its key or its values.
    init(_ filters: [Filter]) throws(APIError) {
        var tests: [Test] = []
        for filter in filters {
            guard let key = filter.key.flatMap(FilterKey.init) else { throw APIError(.invalidParameter, "Invalid filter key") }
            guard let values = filter.values else {
                throw APIError(.invalidParameter, "Invalid filter values for key: \(key.rawValue)")
            }
            tests.append(
                Test(
                    key: key,
                    values: values.map { value in
                        let isNegated = value.utf8.first == UInt8(ascii: "!")
                        let text = isNegated ? String(value.dropFirst()) : value
                        return Value(isNegated: isNegated, text: text, words: Words.split(text))
                    }))
        }
        self.filters = tests
    }

    var isEmpty: Bool { filters.isEmpty }

    /// Whether a secret with these attributes is selected.
    func matches(name: String, description: String?, tags: [Tag]) -> Bool {
        filters.allSatisfy { filter in
            filter.values.contains { value in
                Self.matches(filter.key, value, name: name, description: description, tags: tags) != value.isNegated
            }
        }
    }

    private static func matches(_ key: FilterKey, _ value: Value, name: String, description: String?, tags: [Tag]) -> Bool {
        switch key {
        case .name: begins(name, with: value)
        case .tagKey: tags.contains { begins($0.key.rawValue, with: value) }
        case .tagValue: tags.contains { begins($0.value, with: value) }
        case .description: description.map { hasWords($0, of: value) } ?? false
        case .all:
            hasWords(name, of: value) || (description.map { hasWords($0, of: value) } ?? false)
                || tags.contains { hasWords($0.key.rawValue, of: value) || hasWords($0.value, of: value) }
        // Only replicated secrets have a primary region, and only other services' secrets an owner: there are none of either yet.
        case .primaryRegion, .owningService: false
        }
    }

    private static func begins(_ text: String, with value: Value) -> Bool { text.utf8.starts(with: value.text.utf8) }

    /// Every word of the value is the beginning of some word of the text, in any order. A value without words matches nothing.
    private static func hasWords(_ text: String, of value: Value) -> Bool {
        !value.words.isEmpty && value.words.allSatisfy { Words.contains(wordBeginningWith: $0, in: text) }
    }
}
