/// Why a text is not acceptable JSON. Says where and what rule, never what stood there: the text may hold a secret.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// The rule that was broken.
    package enum Reason: String, Sendable, CaseIterable {
        case unexpectedByte = "a byte that does not fit the grammar"
        case unexpectedEnd = "the text ends too early"
        case trailingBytes = "bytes after the value"
        case tooDeep = "nested too deeply"
        case tooManyValues = "too many values"
        case duplicateName = "a name occurs twice in one object"
        case malformedNumber = "a number that is malformed, too long or out of range"
        case malformedEscape = "a malformed escape sequence"
        case loneSurrogate = "half of a surrogate pair"
        case controlCharacter = "a control character in a string"
        case malformedUTF8 = "a string that is not UTF-8"
        case secretNotAString = "a secret member that is not a string"
    }

    /// Where, in bytes from the start.
    package let position: Int
    package let reason: Reason

    package var description: String { "at byte \(position): \(reason.rawValue)" }
}

/// Bounds on one JSON text (threat model N15).
package struct JSONLimits: Sendable {
    /// Deepest nesting of arrays and objects. Requests of the API need 5, policy documents 8.
    package var depth = 32
    /// Most values, each element and each member counting one. Bounds the memory of the result to a small multiple of the text's: a
    /// value takes at most 48 bytes. The largest legal request has some 250.
    package var values = 4_096
    /// Longest number, in bytes: any 64-bit integer or double has fewer.
    package var numberBytes = 32
    /// Most digits of an exponent. Doubles have three.
    package var exponentDigits = 3

    package init() {}
}
