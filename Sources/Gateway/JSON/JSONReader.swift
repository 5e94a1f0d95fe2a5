internal import OpenSSL

/// Reads JSON strictly (RFC 8259): one value, nothing after it, no byte order mark, no comment, no name twice in an object, no half of a
/// surrogate pair, nothing that is not UTF-8. Linear in the length of the text; recursion is bounded before it happens.
package enum JSONReader {
    /// Reads one value.
    ///
    /// - Parameters:
    ///   - bytes: The text. Nothing of it is kept but what is in the result.
    ///   - secretMembers: Members of these names, at any depth, must be strings or null. The strings are decoded straight into
    ///     `SecretBytes`; no other copy of them is made.
    /// - Throws: ``JSONError``, which holds none of the text.
    package static func read(
        _ bytes: RawSpan, secretMembers: [String] = [], limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        try measuredRead(bytes, secretMembers: secretMembers, limits: limits).value
    }

    /// ``read(_:secretMembers:limits:)``, also telling how many bytes were looked at in all, for tests of linearity.
    static func measuredRead(
        _ bytes: RawSpan, secretMembers: [String], limits: JSONLimits
    ) throws(JSONError) -> (value: JSONValue, examinedByteCount: Int) {
        try bytes.withUnsafeBytes { (text: UnsafeRawBufferPointer) throws(JSONError) in
            var parser = JSONParser(text: text, secretMembers: secretMembers, limits: limits)
            let value = try parser.parseText()
            return (value, parser.examinedByteCount)
        }
    }
}

/// Recursive descent over one text. Files `JSONParser+….swift` hold strings and numbers.
struct JSONParser {
    let text: UnsafeRawBufferPointer
    private let secretMembers: [String]
    let limits: JSONLimits
    var position = 0
    var examinedByteCount = 0
    private var depth = 0
    private var valueCount = 0

    /// - Parameter text: Valid while the parser exists.
    init(text: UnsafeRawBufferPointer, secretMembers: [String], limits: JSONLimits) {
        self.text = text
        self.secretMembers = secretMembers
        self.limits = limits
    }

    mutating func parseText() throws(JSONError) -> JSONValue {
        skipBlanks()
        let value = try parseValue()
        skipBlanks()
        guard position == text.count else { throw failure(.trailingBytes) }
        examinedByteCount += text.count
        return value
    }

    func failure(_ reason: JSONError.Reason, at position: Int? = nil) -> JSONError {
        JSONError(position: position ?? self.position, reason: reason)
    }

    /// The next byte, which is not taken yet.
    func peek() throws(JSONError) -> UInt8 {
        guard position < text.count else { throw failure(.unexpectedEnd) }
        return text[position]
    }

    private mutating func skipBlanks() {
        while position < text.count, Self.isBlank(text[position]) { position += 1 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\t")
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        valueCount += 1
        guard valueCount <= limits.values else { throw failure(.tooManyValues) }
        switch try peek() {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        default: throw failure(.unexpectedByte)
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard try peek() == word.utf8Start[index] else { throw failure(.unexpectedByte) }
            position += 1
        }
        return value
    }

    private mutating func enter() throws(JSONError) {
        guard depth < limits.depth else { throw failure(.tooDeep) }
        depth += 1
        position += 1
        skipBlanks()
    }

    /// Takes the closing bracket. The other answer is that a comma was taken and an element must follow.
    private mutating func takeEnd(_ bracket: UInt8) throws(JSONError) -> Bool {
        skipBlanks()
        let byte = try peek()
        guard byte == bracket || byte == UInt8(ascii: ",") else { throw failure(.unexpectedByte) }
        position += 1
        if byte == bracket {
            depth -= 1
            return true
        }
        skipBlanks()
        return false
    }

    private mutating func parseArray() throws(JSONError) -> JSONValue {
        try enter()
        var elements: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            _ = try takeEnd(UInt8(ascii: "]"))
            return .array(elements)
        }
        repeat { elements.append(try parseValue()) } while try !takeEnd(UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func parseObject() throws(JSONError) -> JSONValue {
        try enter()
        var members: [JSONMember] = []
        var names = JSONNameSet()
        if try peek() == UInt8(ascii: "}") {
            _ = try takeEnd(UInt8(ascii: "}"))
            return .object(members)
        }
        repeat {
            guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
            let start = position
            let name = try parseString()
            guard names.insert(name, after: members) else { throw failure(.duplicateName, at: start) }
            skipBlanks()
            guard try peek() == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
            position += 1
            skipBlanks()
            members.append(JSONMember(name: name, value: try parseMemberValue(of: name)))
        } while try !takeEnd(UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func parseMemberValue(of name: String) throws(JSONError) -> JSONValue {
        guard secretMembers.contains(where: { $0.hasSameBytes(as: name) }) else { return try parseValue() }
        switch try peek() {
        case UInt8(ascii: "\""):
            valueCount += 1
            guard valueCount <= limits.values else { throw failure(.tooManyValues) }
            return .secret(try parseSecretString())
        case UInt8(ascii: "n"): return try parseValue()
        // Whatever it is, it was meant to be secret: it is not decoded.
        default: throw failure(.secretNotAString)
        }
    }
}

/// The names of one object, told apart by their UTF-8 bytes after unescaping. Small objects need no table.
private struct JSONNameSet {
    private static let linearCountMax = 8
    private var names: Set<Name> = []

    /// A string that is equal only to one with the same bytes.
    private struct Name: Hashable {
        let text: String
        static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }
        func hash(into hasher: inout Hasher) {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    /// Adds a name to those of `members`. False if it is there already.
    mutating func insert(_ name: String, after members: [JSONMember]) -> Bool {
        if members.count < Self.linearCountMax {
            return !members.contains { $0.name.hasSameBytes(as: name) }
        }
        if names.isEmpty { names = Set(members.map { Name(text: $0.name) }) }
        return names.insert(Name(text: name)).inserted
    }
}
