/// The form of a resource policy: AWS's policy grammar, read for a document that hangs on a secret (iam.md sections 1 and 7).
///
/// The document is checked, not evaluated; evaluation is the business of the policy engine.
struct PolicyForm: Sendable {
    /// Limits of our own, far above what a secret's policy needs, so that checking stays cheap.
    enum Limits {
        static let statementsMax = 100
        static let valuesPerListMax = 500
        /// Levels of arrays and objects: a condition's values are on the fifth.
        static let depthMax = 12
    }

    /// Whether some statement lets anybody in: what `BlockPublicPolicy` refuses.
    let isPublic: Bool

    /// - Parameter document: The policy as the caller gave it. Its length is the shape's business (20,480 characters).
    /// - Throws: MalformedPolicyDocumentException.
    init(_ document: String) throws(APIError) {
        // The characters that IAM admits: tab, line feed, carriage return, U+0020 to U+00FF.
        guard document.unicodeScalars.allSatisfy({ $0 == "\t" || $0 == "\n" || $0 == "\r" || (0x20...0xFF).contains($0.value) }) else {
            throw .malformedPolicy
        }
        var limits = JSONLimits()
        limits.depth = Limits.depthMax
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONReader.read(document.utf8.span.bytes, limits: limits)
        } catch {
            // Duplicate keys land here, too.
            throw .malformedPolicy
        }
        let members = try Grammar.members(json, allowed: ["Version", "Id", "Statement"])
        if let version = members["Version"] {
            guard case .string(let text) = version, text == "2012-10-17" || text == "2008-10-17" else { throw .malformedPolicy }
        }
        if let id = members["Id"] {
            guard case .string = id else { throw .malformedPolicy }
        }
        let statements = try Grammar.statements(members["Statement"])
        var sids: Set<String> = []
        for sid in statements.compactMap(\.sid) where !sids.insert(sid).inserted {
            throw .malformedPolicy
        }
        isPublic = statements.contains(where: \.isPublic)
    }
}

/// One statement, as far as its form tells something.
struct PolicyStatement: Sendable {
    let sid: String?
    let isPublic: Bool

    /// - Throws: MalformedPolicyDocumentException.
    init(_ json: JSONValue) throws(APIError) {
        let members = try PolicyForm.Grammar.members(
            json,
            allowed: [
                "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
            ])
        sid = try Self.sid(members["Sid"])
        let isAllow = try Self.isAllow(members["Effect"])
        let (principals, isInverted) = try Self.principals(members["Principal"], members["NotPrincipal"])
        // It would let in everybody but a few; AWS advises against it and most services refuse it (iam.md 2.6).
        guard !(isAllow && isInverted) else { throw .malformedPolicy }
        try Self.checkOne(of: members["Action"], members["NotAction"], PolicyForm.Grammar.isAction)
        try Self.checkOne(of: members["Resource"], members["NotResource"], PolicyForm.Grammar.isResource)
        let conditions = try members["Condition"].map(PolicyCondition.all) ?? []
        isPublic = isAllow && principals.contains("*") && !conditions.contains(where: \.pinsCaller)
    }

    private static func sid(_ json: JSONValue?) throws(APIError) -> String? {
        guard let json else { return nil }
        guard case .string(let text) = json, text.utf8.allSatisfy(PolicyForm.Grammar.sidCharacters.contains) else { throw .malformedPolicy }
        return text
    }

    private static func isAllow(_ json: JSONValue?) throws(APIError) -> Bool {
        guard case .string(let effect)? = json, effect == "Allow" || effect == "Deny" else { throw .malformedPolicy }
        return effect == "Allow"
    }

    /// Exactly one of the pair is there: in a policy on a resource a statement says whom it is about.
    private static func principals(_ principal: JSONValue?, _ notPrincipal: JSONValue?) throws(APIError) -> (names: [String], isInverted: Bool) {
        switch (principal, notPrincipal) {
        case (let json?, nil): (try PolicyForm.Grammar.principals(json), false)
        case (nil, let json?): (try PolicyForm.Grammar.principals(json), true)
        case (nil, nil), (_?, _?): throw .malformedPolicy
        }
    }

    private static func checkOne(of first: JSONValue?, _ second: JSONValue?, _ isValid: (String) -> Bool) throws(APIError) {
        guard (first == nil) != (second == nil), let json = first ?? second, try PolicyForm.Grammar.texts(json).allSatisfy(isValid) else {
            throw .malformedPolicy
        }
    }
}
