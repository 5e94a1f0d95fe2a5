/// One operator, key and value list of a policy's Condition, as far as its form tells something (iam.md section 3.2).
struct PolicyCondition: Sendable {
    private let operatorName: Operator
    /// Lower case: keys are compared without regard to case.
    private let key: String
    private let values: [String]

    /// - Throws: MalformedPolicyDocumentException.
    static func all(_ json: JSONValue) throws(APIError) -> [PolicyCondition] {
        guard case .object(let operators) = json else { throw .malformedPolicy }
        var conditions: [PolicyCondition] = []
        for member in operators {
            guard let name = Operator(member.name), case .object(let keys) = member.value, !keys.isEmpty else { throw .malformedPolicy }
            for key in keys {
                guard !key.name.isEmpty else { throw .malformedPolicy }
                conditions.append(PolicyCondition(operatorName: name, key: key.name.lowercased(), values: try values(key.value)))
            }
        }
        return conditions
    }

    /// Numbers and Booleans count as their text.
    private static func values(_ json: JSONValue) throws(APIError) -> [String] {
        var list = [json]
        if case .array(let elements) = json { list = elements }
        guard list.count <= PolicyForm.Limits.valuesPerListMax else { throw .malformedPolicy }
        var texts: [String] = []
        for element in list {
            switch element {
            case .string(let text): texts.append(text)
            case .number(let number): texts.append(number.text)
            case .bool(let flag): texts.append(flag ? "true" : "false")
            case .null, .secret, .array, .object: throw .malformedPolicy
            }
        }
        return texts
    }

    /// An operator, taken apart: `ForAllValues:StringLikeIfExists`.
    private struct Operator: Sendable {
        /// Every operator but `Null`, in lower case.
        private static let names: Set<String> = [
            "stringequals", "stringnotequals", "stringequalsignorecase", "stringnotequalsignorecase", "stringlike", "stringnotlike",
            "numericequals", "numericnotequals", "numericlessthan", "numericlessthanequals", "numericgreaterthan",
            "numericgreaterthanequals", "dateequals", "datenotequals", "datelessthan", "datelessthanequals", "dategreaterthan",
            "dategreaterthanequals", "bool", "binaryequals", "ipaddress", "notipaddress", "arnequals", "arnlike", "arnnotequals",
            "arnnotlike",
        ]

        let name: String
        let isForAllValues: Bool
        let isIfExists: Bool

        init?(_ text: String) {
            var name = text.lowercased()
            var quantifier = ""
            if let colon = name.firstIndex(of: ":") {
                quantifier = String(name[..<colon])
                guard quantifier == "forallvalues" || quantifier == "foranyvalue" else { return nil }
                name = String(name[name.index(after: colon)...])
            }
            isForAllValues = quantifier == "forallvalues"
            isIfExists = name.hasSuffix("ifexists")
            if isIfExists { name.removeLast("ifexists".count) }
            let isNull = name == "null" && quantifier.isEmpty && !isIfExists
            guard isNull || Self.names.contains(name) else { return nil }
            self.name = name
        }

        var isNegated: Bool { name.contains("not") || name == "null" }
    }

    // MARK: Public or not

    /// Keys whose fixed values say who or where the caller is (iam.md section 7).
    private static let pinningKeys: Set<String> = [
        "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:sourcearn", "aws:sourceaccount",
        "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
    ]
    /// The widest networks that still pin a caller, in bits of prefix.
    private static let prefixBitsMin = (v4: 8, v6: 32)

    /// Whether the condition holds for known callers only, so that a `*` principal beside it is not public.
    var pinsCaller: Bool {
        guard Self.pinningKeys.contains(key), !operatorName.isNegated, !operatorName.isIfExists, !operatorName.isForAllValues, !values.isEmpty else {
            return false
        }
        return values.allSatisfy { value in
            if key == "aws:sourceip" { return Self.isNarrow(value) }
            // A value of wildcards only, or one that the caller's own variables fill in, fixes nothing.
            return value.contains { $0 != "*" && $0 != "?" } && !value.contains("${")
        }
    }

    private static func isNarrow(_ network: String) -> Bool {
        let isV6 = network.utf8.contains(UInt8(ascii: ":"))
        guard let slash = network.firstIndex(of: "/") else { return true }
        guard let bits = Int(network[network.index(after: slash)...]) else { return false }
        return bits >= (isV6 ? prefixBitsMin.v6 : prefixBitsMin.v4)
    }
}
