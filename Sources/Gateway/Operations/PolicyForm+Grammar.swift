/// The smaller pieces of the policy grammar (iam.md section 1). Everything throws MalformedPolicyDocumentException.
extension PolicyForm {
    enum Grammar {
        static let sidCharacters = CharacterSet128(CharacterSet128.alphanumerics)
        private static let vendorCharacters = CharacterSet128(CharacterSet128.alphanumerics + "-")
        private static let actionCharacters = CharacterSet128(CharacterSet128.alphanumerics + "*?")
        private static let principalKinds: Set<String> = ["AWS", "Service", "Federated", "CanonicalUser"]

        /// The members of an object that has no others.
        static func members(_ json: JSONValue, allowed: Set<String>) throws(APIError) -> [String: JSONValue] {
            guard case .object(let members) = json else { throw .malformedPolicy }
            var result: [String: JSONValue] = [:]
            for member in members {
                guard allowed.contains(member.name) else { throw .malformedPolicy }
                result[member.name] = member.value
            }
            return result
        }

        /// One statement, or a list of at least one.
        static func statements(_ json: JSONValue?) throws(APIError) -> [PolicyStatement] {
            switch json {
            case .object?: return [try PolicyStatement(json ?? .null)]
            case .array(let list)? where !list.isEmpty && list.count <= Limits.statementsMax:
                var statements: [PolicyStatement] = []
                for element in list { statements.append(try PolicyStatement(element)) }
                return statements
            default: throw .malformedPolicy
            }
        }

        /// A text, or a list of at least one.
        static func texts(_ json: JSONValue) throws(APIError) -> [String] {
            switch json {
            case .string(let text): return [text]
            case .array(let list) where !list.isEmpty && list.count <= Limits.valuesPerListMax:
                var texts: [String] = []
                for element in list {
                    guard case .string(let text) = element else { throw .malformedPolicy }
                    texts.append(text)
                }
                return texts
            default: throw .malformedPolicy
            }
        }

        /// `"*"`, or a map from kinds of principals to their names. Names of AWS principals are read further.
        static func principals(_ json: JSONValue) throws(APIError) -> [String] {
            if case .string(let text) = json {
                guard text == "*" else { throw .malformedPolicy }
                return [text]
            }
            let kinds = try members(json, allowed: principalKinds)
            guard !kinds.isEmpty else { throw .malformedPolicy }
            var names: [String] = []
            for (kind, value) in kinds {
                let texts = try texts(value)
                if kind == "AWS" {
                    // AWS's sentence for principals that it cannot resolve; Terraform waits on it (clients.md section 0).
                    guard texts.allSatisfy(isPrincipal) else {
                        throw APIError(.malformedPolicyDocument, "This resource policy contains an unsupported principal")
                    }
                    names += texts
                } else {
                    guard texts.allSatisfy({ !$0.isEmpty && $0 != "*" }) else { throw .malformedPolicy }
                }
            }
            return names
        }

        /// `*`, an account, or the ARN of an identity; no wildcard inside an ARN.
        private static func isPrincipal(_ text: String) -> Bool {
            if text == "*" || isAccount(text[...]) { return true }
            let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
            guard fields.count == 6, fields[0] == "arn", fields[1].hasPrefix("aws"), fields[3].isEmpty, isAccount(fields[4]),
                !fields[5].utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") })
            else { return false }
            return switch fields[2] {
            case "iam": fields[5] == "root" || hasName(fields[5], after: "user/") || hasName(fields[5], after: "role/")
            case "sts": hasName(fields[5], after: "assumed-role/") || hasName(fields[5], after: "federated-user/")
            default: false
            }
        }

        private static func hasName(_ text: Substring, after prefix: String) -> Bool {
            text.hasPrefix(prefix) && text.utf8.count > prefix.utf8.count
        }

        private static func isAccount(_ text: Substring) -> Bool {
            text.utf8.count == 12 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }

        /// `*` or `vendor:name`; wildcards in the name only.
        static func isAction(_ text: String) -> Bool {
            if text == "*" { return true }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && parts[0].utf8.allSatisfy(vendorCharacters.contains)
                && parts[1].utf8.allSatisfy(actionCharacters.contains)
        }

        /// `*` or an ARN of six fields; no wildcard in the vendor.
        static func isResource(_ text: String) -> Bool {
            if text == "*" { return true }
            let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
            return fields.count == 6 && fields[0] == "arn" && !fields[1].isEmpty && !fields[2].isEmpty
                && fields[2].utf8.allSatisfy(vendorCharacters.contains) && !fields[5].isEmpty
        }
    }
}
