internal import OpenSSL

/// A constraint on one member, in the terms of AWS's model: a type and its limits.
protocol Shape<Value>: Sendable {
    associatedtype Value: Sendable
    /// What a member reads as that is missing or wrong. Never reaches an operation.
    var placeholder: Value { get }
    /// Checks `value` and converts it; notes in `problems` what is wrong, and returns `nil` when no value can be made of it.
    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> Value?
}

/// A shape whose lists report their elements' faults as one fault of the list, as AWS does for lists of scalars:
/// `Value '[a, b]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length ...]`.
protocol ScalarShape: Shape where Value == String {
    /// The text of each constraint, with what decides it.
    func constraints(on text: String) -> [Constraint]
    var isSensitive: Bool { get }
}

/// One constraint: its text, and whether the value at hand keeps it.
struct Constraint {
    let text: String
    let holds: Bool
}

/// Text with limits on its length, a pattern or a closed set of values.
struct StringShape: ScalarShape {
    /// Limits on the number of Unicode scalars, which is what AWS's model counts. `nil` where the model has none.
    var lengthMin: Int?
    var lengthMax: Int?
    var pattern: Pattern?
    /// The only values allowed, in the order that the text names them.
    var values: [String]?
    /// Whether the value stays out of validation texts.
    var isSensitive = false

    init(_ length: ClosedRange<Int>, pattern: Pattern? = nil) {
        (lengthMin, lengthMax) = (length.lowerBound, length.upperBound)
        self.pattern = pattern
    }

    init(upTo lengthMax: Int, pattern: Pattern? = nil) {
        self.lengthMax = lengthMax
        self.pattern = pattern
    }

    init(oneOf values: [String]) { self.values = values }

    var placeholder: String { "" }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> String? {
        guard case .string(let text) = value else {
            problems.wrongType(TypeMismatch.scalar(value, as: "a String"))
            return nil
        }
        if isSatisfied(by: text) { return text }
        for constraint in constraints(on: text) where !constraint.holds {
            problems.violation(constraint.text, value: isSensitive ? .hidden : .text(text), at: path)
        }
        return text
    }

    /// The common case, without making any text.
    private func isSatisfied(by text: String) -> Bool {
        let count = text.unicodeScalars.count
        if let lengthMax, count > lengthMax { return false }
        if let lengthMin, count < lengthMin { return false }
        if let pattern, !pattern.matches(text.utf8) { return false }
        if let values, !values.contains(text) { return false }
        return true
    }

    func constraints(on text: String) -> [Constraint] {
        var result: [Constraint] = []
        let count = text.unicodeScalars.count
        if let lengthMax { result.append(.length(atMost: lengthMax, count)) }
        if let lengthMin, lengthMin > 0 { result.append(.length(atLeast: lengthMin, count)) }
        if let pattern {
            result.append(Constraint(text: "Member must satisfy regular expression pattern: \(pattern.text)", holds: pattern.matches(text.utf8)))
        }
        if let values {
            result.append(
                Constraint(text: "Member must satisfy enum value set: [\(values.joined(separator: ", "))]", holds: values.contains(text)))
        }
        return result
    }
}

/// Text that is a secret: read into ``SecretBytes``, counted in UTF-8 bytes, and never shown.
///
/// The model counts characters and the documentation bytes; bytes are the stricter, and what storage must hold.
struct SecretTextShape: Shape {
    let length: ClosedRange<Int>
    /// Checked on the bytes; for `RotationToken`.
    var pattern: Pattern?

    var placeholder: SecretBytes { SecretBytes(count: 0) { _ in } }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> SecretBytes? {
        guard case .secret(let text) = value else {
            problems.wrongType(TypeMismatch.scalar(value, as: "a String"))
            return nil
        }
        problems.checkHiddenLength(text.count, length, at: path)
        if let pattern, !text.withUnsafeBytes({ pattern.matches($0) }) {
            problems.violation("Member must satisfy regular expression pattern: \(pattern.text)", value: .hidden, at: path)
        }
        return text
    }
}

/// Bytes that are a secret, in base64 on the wire (RFC 4648 section 4).
struct SecretBlobShape: Shape {
    /// In bytes after decoding.
    let length: ClosedRange<Int>

    var placeholder: SecretBytes { SecretBytes(count: 0) { _ in } }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> SecretBytes? {
        guard case .secret(let text) = value else {
            problems.wrongType(TypeMismatch.scalar(value, as: "a Blob"))
            return nil
        }
        guard let bytes = Base64.decode(text) else {
            // AWS quotes the text here; a secret is not quoted.
            problems.wrongType("Value can not be converted to a Blob: Invalid Base64 encoding")
            return nil
        }
        problems.checkHiddenLength(bytes.count, length, at: path)
        return bytes
    }
}

/// A whole number.
struct IntegerShape: Shape {
    /// The model's type, as SerializationException texts name it.
    enum Width: String, Sendable {
        case integer = "an Integer"
        case long = "a Long"
    }

    var range: ClosedRange<Int64>?
    var width = Width.integer

    var placeholder: Int64 { 0 }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> Int64? {
        // A fraction, an exponent or 20 digits are not a whole number of the model's width.
        guard case .number(let number) = value, let integer = number.int64, width == .long || Int32(exactly: integer) != nil else {
            problems.wrongType(TypeMismatch.scalar(value, as: width.rawValue))
            return nil
        }
        guard let range else { return integer }
        if integer > range.upperBound {
            problems.violation("Member must have value less than or equal to \(range.upperBound)", value: .text(number.text), at: path)
        }
        if integer < range.lowerBound {
            problems.violation("Member must have value greater than or equal to \(range.lowerBound)", value: .text(number.text), at: path)
        }
        return integer
    }
}

/// `true` or `false`.
struct BooleanShape: Shape {
    var placeholder: Bool { false }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> Bool? {
        guard case .bool(let flag) = value else {
            problems.wrongType(TypeMismatch.scalar(value, as: "a Boolean"))
            return nil
        }
        return flag
    }
}

extension Constraint {
    static func length(atMost limit: Int, _ count: Int) -> Constraint {
        Constraint(text: "Member must have length less than or equal to \(limit)", holds: count <= limit)
    }

    static func length(atLeast limit: Int, _ count: Int) -> Constraint {
        Constraint(text: "Member must have length greater than or equal to \(limit)", holds: count >= limit)
    }
}

extension Problems {
    fileprivate mutating func checkHiddenLength(_ count: Int, _ length: ClosedRange<Int>, at path: MemberPath) {
        for constraint in [Constraint.length(atMost: length.upperBound, count), .length(atLeast: length.lowerBound, count)] where !constraint.holds {
            violation(constraint.text, value: .hidden, at: path)
        }
    }
}

/// The sentences of SerializationException for a member of the wrong JSON type (behaviour 1.4; none of them quotes the value).
enum TypeMismatch {
    static func scalar(_ value: JSONValue, as type: String) -> String {
        switch value {
        case .array: "Start of list found where not expected"
        case .object: "Start of structure or map found where not expected."
        case .bool(true): "TRUE_VALUE can not be converted to \(type)"
        case .bool(false): "FALSE_VALUE can not be converted to \(type)"
        case .number(let number):
            number.int64 == nil ? "DECIMAL_VALUE can not be converted to \(type)" : "NUMBER_VALUE can not be converted to \(type)"
        case .string, .secret: "STRING_VALUE can not be converted to \(type)"
        case .null: "NULL_VALUE can not be converted to \(type)"
        }
    }

    static func list(_ value: JSONValue) -> String {
        if case .object = value { "Start of structure or map found where not expected." } else { "Expected list or null" }
    }

    static func structure(_ value: JSONValue) -> String {
        if case .array = value { "Start of list found where not expected" } else { "Expected null" }
    }
}
