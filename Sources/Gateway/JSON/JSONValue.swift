package import OpenSSL

/// One JSON value (RFC 8259), as it was read.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    /// The string value of a member that the reader was told to keep secret.
    case secret(SecretBytes)
    case array([JSONValue])
    /// Members in the order of the text; no two have the same name.
    case object([JSONMember])

    /// The sorts of value, for telling what was found where something else belongs.
    package enum Kind: String, Sendable {
        case null, bool, number, string, secret, array, object
    }

    package var kind: Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .number: .number
        case .string: .string
        case .secret: .secret
        case .array: .array
        case .object: .object
        }
    }

    /// The member of that name. Names are compared byte by byte and not by Unicode equivalence, which has two spellings of `K`.
    ///
    /// - Returns: Nil when there is none, or this is not an object.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.hasSameBytes(as: name) }?.value
    }
}

/// One member of an object.
package struct JSONMember: Sendable {
    package let name: String
    package let value: JSONValue

    package init(name: String, value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// A number as it was written: JSON does not say how precise one is, so who needs it decides.
package struct JSONNumber: Hashable, Sendable {
    /// The text, which fits the grammar of RFC 8259, section 6.
    package let text: String

    /// The value, if the number is written as an integer and fits.
    package var int64: Int64? { Int64(text) }
}

extension String {
    /// Whether both strings are the same UTF-8, which is stricter than `==`.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
