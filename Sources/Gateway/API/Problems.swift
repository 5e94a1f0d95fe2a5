/// What is wrong with the members of one request, gathered while they are read.
///
/// AWS's front end first turns the JSON into the operation's input (a wrong type ends that at once), then checks every constraint and
/// reports all that fail in one ValidationException (behaviour 1.5).
struct Problems {
    /// Most constraints named in one answer: AWS's front end stops at ten.
    static let reportedMax = 10

    private(set) var wrongType: String?
    private var violations: [String] = []

    /// A member has the wrong JSON type. The first one decides the answer.
    mutating func wrongType(_ sentence: String) {
        if wrongType == nil { wrongType = sentence }
    }

    /// A constraint does not hold.
    ///
    /// - Parameters:
    ///   - value: The value as the text shows it; `nil` for a sensitive member, whose value stays out of the text.
    ///   - path: lowerCamelCase path, list positions counted from 1.
    mutating func violation(_ constraint: String, value: Shown, at path: MemberPath) {
        guard violations.count < Self.reportedMax else { return }
        let shown =
            switch value {
            case .text(let text): "Value '\(text)'"
            case .hidden: "Value"
            case .null: "Value null"
            }
        violations.append("\(shown) at '\(path)' failed to satisfy constraint: \(constraint)")
    }

    enum Shown {
        case text(String)
        case hidden
        case null
    }

    /// The refusal that all of this amounts to, if any.
    var error: APIError? {
        if let wrongType { return APIError(.serialization, wrongType) }
        guard !violations.isEmpty else { return nil }
        let heading = violations.count == 1 ? "1 validation error detected: " : "\(violations.count) validation errors detected: "
        return APIError(.validation, heading + violations.joined(separator: "; "))
    }
}

/// Where a member sits, as validation texts spell it: `filters.1.member.key`. Rendered only when something is wrong.
struct MemberPath: CustomStringConvertible {
    /// Rendered path of the structure around the member, with its final dot; empty at the top.
    let prefix: String
    /// Name as the model spells it: `SecretId`.
    let name: String

    var description: String { prefix + Self.lowerCamelCase(name) }

    /// Prefix of the members of the structure at `index` (counted from 0) of the list at this path.
    func element(_ index: Int) -> String { "\(self).\(index + 1).member." }

    /// Prefix of the members of the structure at this path.
    var inside: String { "\(self)." }

    static func lowerCamelCase(_ name: String) -> String {
        guard let first = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return name }
        return String(decoding: [first | 0x20] + name.utf8.dropFirst(), as: UTF8.self)
    }
}
