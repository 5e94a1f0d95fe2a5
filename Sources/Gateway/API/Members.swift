/// Reads the members of one JSON object into an operation's input, checking each against its shape.
///
/// Reading never stops: a member that is wrong or missing reads as its shape's placeholder and is noted in ``problems``, so that all
/// faults are found. No operation sees a placeholder, because ``Operation/handle(_:_:)`` refuses an input with problems.
struct Members {
    private let object: JSONValue
    private let prefix: String
    private(set) var problems = Problems()

    init(_ object: JSONValue, prefix: String = "") {
        self.object = object
        self.prefix = prefix
    }

    /// A member that must be there.
    mutating func required<Kind: Shape>(_ name: String, _ shape: Kind) -> Kind.Value {
        if let value = optional(name, shape) { return value }
        if !isPresent(name) {
            problems.violation("Member must not be null", value: .null, at: MemberPath(prefix: prefix, name: name))
        }
        return shape.placeholder
    }

    /// A member that may be absent; JSON's `null` is absence (behaviour 1.1).
    mutating func optional<Kind: Shape>(_ name: String, _ shape: Kind) -> Kind.Value? {
        guard let value = object[name] else { return nil }
        if case .null = value { return nil }
        return shape.read(value, at: MemberPath(prefix: prefix, name: name), &problems)
    }

    /// A Boolean that is false unless the caller says otherwise.
    mutating func flag(_ name: String, default value: Bool = false) -> Bool {
        optional(name, BooleanShape()) ?? value
    }

    /// Takes the problems of a structure further down, or puts ours there, while it is read.
    mutating func adopt(_ problems: Problems) { self.problems = problems }

    private func isPresent(_ name: String) -> Bool {
        switch object[name] {
        case nil, .null?: false
        case .bool?, .number?, .string?, .secret?, .array?, .object?: true
        }
    }
}

/// A group of members with a fixed set of names: the input of an operation, or a structure inside one.
protocol InputStructure: Sendable {
    /// Names every member once, with its shape.
    init(reading members: inout Members)
}

extension InputStructure {
    /// What a structure reads as that is no JSON object.
    static var placeholder: Self {
        var nothing = Members(.object([]))
        return Self(reading: &nothing)
    }
}
