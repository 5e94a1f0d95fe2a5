/// The forms of `KmsKeyId` (behaviour 2.4, 3.1, 5): key id, key ARN, alias name, alias ARN. There is no KMS here that could look the key
/// up: the text is kept and echoed, and only what can be no key's name is refused.
enum KMSKeyID {
    /// The alias of the default key, which Describe and List leave out.
    static let defaultAlias = "alias/aws/secretsmanager"

    private static let keyCharacters = CharacterSet128(CharacterSet128.alphanumerics + "-_")
    /// KMS API, `CreateAlias`: letters, digits, `/`, `_`, `-`.
    private static let aliasCharacters = CharacterSet128(CharacterSet128.alphanumerics + "/_-")

    /// What to store: `nil` for the default key.
    ///
    /// - Throws: InvalidParameterException for text that names no key. AWS's own text is not known (open question 20).
    static func parse(_ text: String) throws(APIError) -> String? {
        if text.isEmpty || text == defaultAlias { return nil }
        if isAlias(text[...]) || isKey(text[...]) { return text }
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "arn", fields[1].hasPrefix("aws"), fields[2] == "kms", !fields[3].isEmpty,
            fields[4].utf8.count == 12, fields[4].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            isResource(fields[5])
        else { throw APIError(.invalidParameter, "The KmsKeyId value must be a key ID, a key ARN, an alias name or an alias ARN.") }
        return fields[5] == defaultAlias ? nil : text
    }

    /// The last field of an ARN: `alias/<name>` or `key/<id>`.
    private static func isResource(_ text: Substring) -> Bool {
        isAlias(text) || text.hasPrefix("key/") && isKey(text.dropFirst("key/".count))
    }

    private static func isAlias(_ text: Substring) -> Bool {
        guard text.hasPrefix("alias/") else { return false }
        let name = text.dropFirst("alias/".count)
        return !name.isEmpty && name.utf8.allSatisfy(aliasCharacters.contains)
    }

    /// A UUID or a multi-Region key's `mrk-...`; other text of those characters is let through, since nothing is looked up.
    private static func isKey(_ text: Substring) -> Bool { !text.isEmpty && text.utf8.allSatisfy(keyCharacters.contains) }
}
