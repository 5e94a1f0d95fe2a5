import NIOCore
import OpenSSL
import Testing

@testable import Gateway

/// What is JSON here and what is not (RFC 8259, and row N15 of the threat model).
@Suite struct JSONReaderTests {
    static func read(_ bytes: [UInt8], secretMembers: [String] = []) throws(JSONError) -> JSONValue {
        try JSONReader.read(bytes.span.bytes, secretMembers: secretMembers)
    }

    static func read(_ text: String, secretMembers: [String] = []) throws(JSONError) -> JSONValue {
        try read(Array(text.utf8), secretMembers: secretMembers)
    }

    @Test(arguments: [
        ("null", "null"), (" true ", "true"), ("false", "false"), ("\t\r\n 0 \n", "0"), ("-1", "-1"), ("1.50", "1.50"),
        ("-0.1", "-0.1"), ("1e5", "1e5"), ("1E+05", "1E+05"), ("0e0", "0e0"), ("2.5e-3", "2.5e-3"), ("12345678901234567890", "12345678901234567890"),
        ("\"\"", "\"\""), ("[]", "[]"), ("[ ]", "[]"), ("{}", "{}"), ("{ }", "{}"), ("[1,[2,[3]]]", "[1,[2,[3]]]"),
        ("{\"a\":1,\"b\":{\"a\":2}}", "{\"a\":1,\"b\":{\"a\":2}}"), ("{\"\":0}", "{\"\":0}"),
        (#""\u0041\n\"\\\/\b\f\r\t""#, #""A\n\"\\/\b\f\r\t""#), (#""\ud83d\ude00""#, "\"😀\""), (#""\uFFFF\u0000\u07ff\u0800""#, "\"\u{FFFF}\\u0000\u{7FF}\u{800}\""),
        ("\"é\u{2028}😀\u{10FFFF}\"", "\"é\u{2028}😀\u{10FFFF}\""), ("\"\u{7F}\"", "\"\u{7F}\""),
        // Canonically equivalent, and still two names: K and the Kelvin sign.
        ("{\"K\":1,\"\u{212A}\":2}", "{\"K\":1,\"\u{212A}\":2}"),
    ])
    func `is taken`(_ text: String, _ expected: String) throws {
        #expect(rendered(try Self.read(text)) == expected)
    }

    struct Rejected: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let reason: JSONError.Reason
        init(_ text: String, _ reason: JSONError.Reason, name: String? = nil) { self.init(Array(text.utf8), reason, name: name ?? text) }
        init(_ bytes: [UInt8], _ reason: JSONError.Reason, name: String) { (self.bytes, self.reason, self.name) = (bytes, reason, name) }
        var testDescription: String { name }
    }

    private static func quoted(_ bytes: [UInt8]) -> [UInt8] { [0x22] + bytes + [0x22] }

    static let rejected: [Rejected] = [
        Rejected("", .unexpectedEnd), Rejected("  ", .unexpectedEnd), Rejected("{", .unexpectedEnd), Rejected("[1,", .unexpectedEnd),
        Rejected("\"a", .unexpectedEnd), Rejected("{\"a\"", .unexpectedEnd), Rejected("tru", .unexpectedEnd), Rejected("-", .unexpectedEnd),
        Rejected("1.", .unexpectedEnd), Rejected("1e", .unexpectedEnd), Rejected("\"\\", .unexpectedEnd), Rejected("\"\\u12", .unexpectedEnd),
        Rejected("1 2", .trailingBytes), Rejected("{} x", .trailingBytes), Rejected("[]]", .trailingBytes), Rejected("null\0", .trailingBytes),
        Rejected("01", .malformedNumber), Rejected("-01", .malformedNumber), Rejected("00", .malformedNumber), Rejected("1.e1", .malformedNumber),
        Rejected("1e+x", .malformedNumber), Rejected("-a", .malformedNumber), Rejected("+1", .unexpectedByte), Rejected(".5", .unexpectedByte),
        Rejected("0x10", .trailingBytes), Rejected("1_000", .trailingBytes),
        Rejected("-0", .malformedNumber), Rejected("-0.00", .malformedNumber), Rejected("-0e9", .malformedNumber),
        Rejected("1e999999", .malformedNumber), Rejected(String(repeating: "9", count: 100_000), .malformedNumber, name: "100,000 digits"),
        Rejected("0." + String(repeating: "0", count: 100_000), .malformedNumber, name: "100,000 decimals"),
        Rejected("NaN", .unexpectedByte), Rejected("Infinity", .unexpectedByte), Rejected("-Infinity", .malformedNumber),
        Rejected("nul1", .unexpectedByte), Rejected("True", .unexpectedByte), Rejected("'a'", .unexpectedByte),
        Rejected("[1,]", .unexpectedByte), Rejected("[,1]", .unexpectedByte), Rejected("[1 2]", .unexpectedByte), Rejected("[1}", .unexpectedByte),
        Rejected("{\"a\":1,}", .unexpectedByte), Rejected("{a:1}", .unexpectedByte), Rejected("{1:1}", .unexpectedByte),
        Rejected("{\"a\" 1}", .unexpectedByte), Rejected("{\"a\":}", .unexpectedByte), Rejected("{\"a\"::1}", .unexpectedByte),
        Rejected("// c\n1", .unexpectedByte), Rejected("1 /* c */", .trailingBytes), Rejected("[1/**/]", .unexpectedByte),
        Rejected([0xEF, 0xBB, 0xBF, 0x31], .unexpectedByte, name: "byte order mark"),
        Rejected([0xFF, 0xFE, 0x31, 0x00], .unexpectedByte, name: "UTF-16"), Rejected("\u{A0}1", .unexpectedByte, name: "no-break space"),
        Rejected(#""\x""#, .malformedEscape), Rejected(#""\u12g4""#, .malformedEscape), Rejected(#""\U0041""#, .malformedEscape),
        Rejected(#""\u+123""#, .malformedEscape), Rejected(#""\'""#, .malformedEscape),
        Rejected(#""\ud800""#, .loneSurrogate), Rejected(#""\udc00""#, .loneSurrogate), Rejected(#""\ud800\ud800""#, .loneSurrogate),
        Rejected(#""\ud800x""#, .loneSurrogate), Rejected(#""\ud800\n""#, .loneSurrogate), Rejected(#""\udc00\ud800""#, .loneSurrogate),
        Rejected(#""\ud83d\u0041""#, .loneSurrogate),
        Rejected("\"a\nb\"", .controlCharacter), Rejected("\"\0\"", .controlCharacter), Rejected("\"\u{1F}\"", .controlCharacter),
        Rejected("{\"a\tb\":1}", .controlCharacter),
        Rejected(quoted([0xC0, 0x80]), .malformedUTF8, name: "overlong NUL"), Rejected(quoted([0xC1, 0xBF]), .malformedUTF8, name: "overlong two"),
        Rejected(quoted([0xE0, 0x9F, 0xBF]), .malformedUTF8, name: "overlong three"),
        Rejected(quoted([0xF0, 0x8F, 0xBF, 0xBF]), .malformedUTF8, name: "overlong four"),
        Rejected(quoted([0xED, 0xA0, 0x80]), .malformedUTF8, name: "encoded surrogate"),
        Rejected(quoted([0xF4, 0x90, 0x80, 0x80]), .malformedUTF8, name: "past the last scalar"),
        Rejected(quoted([0x80]), .malformedUTF8, name: "lone continuation"), Rejected(quoted([0xC3]), .malformedUTF8, name: "cut two"),
        Rejected(quoted([0xE2, 0x82]), .malformedUTF8, name: "cut three"), Rejected(quoted([0xF0, 0x9F, 0x98]), .malformedUTF8, name: "cut four"),
        Rejected(quoted([0xF5, 0x80, 0x80, 0x80]), .malformedUTF8, name: "F5"), Rejected(quoted([0xFF]), .malformedUTF8, name: "FF"),
        Rejected([0x22, 0xE2, 0x82], .malformedUTF8, name: "cut at the end of the text"),
        Rejected("{\"a\":1,\"a\":1}", .duplicateName), Rejected("{\"a\":1,\"b\":2,\"\\u0061\":3}", .duplicateName),
        Rejected("{\"SecretString\":\"x\",\"SecretString\":\"x\"}", .duplicateName),
        Rejected("{\"SecretString\":\"x\",\"Secret\\u0053tring\":\"x\"}", .duplicateName),
        Rejected("[{\"x\":{\"\":1,\"\":1}}]", .duplicateName),
        Rejected("{" + (0..<100).map { "\"n\($0)\":0," }.joined() + "\"n50\":0}", .duplicateName, name: "a double among a hundred"),
        Rejected(String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000), .tooDeep, name: "10,000 arrays"),
        Rejected(String(repeating: "{\"a\":", count: 10_000) + "1" + String(repeating: "}", count: 10_000), .tooDeep, name: "10,000 objects"),
        Rejected(String(repeating: "[", count: 1 << 20), .tooDeep, name: "1 MiB of brackets"),
        Rejected("{" + (0..<1_000_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}", .tooManyValues, name: "a million names"),
        Rejected("[" + String(repeating: "0,", count: 5_000) + "0]", .tooManyValues, name: "5,000 elements"),
    ]

    @Test(arguments: rejected)
    func `is refused with its reason`(_ row: Rejected) {
        let error = #expect(throws: JSONError.self) { _ = try Self.read(row.bytes) }
        #expect(error?.reason == row.reason)
        #expect((error?.position ?? -1) >= 0 && (error?.position ?? .max) <= row.bytes.count)
    }

    @Test func `nesting is allowed up to its limit and no further`() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(rendered(try Self.read(nested(32))) == nested(32))
        #expect(throws: JSONError(position: 32, reason: .tooDeep)) { _ = try Self.read(nested(33)) }
        let siblings = "[" + Array(repeating: nested(31), count: 10).joined(separator: ",") + "]"
        #expect(rendered(try Self.read(siblings)) == siblings)
    }

    @Test func `errors tell the place`() {
        #expect(throws: JSONError(position: 8, reason: .duplicateName)) { _ = try Self.read("{\"a\":1, \"a\":2}") }
        #expect(throws: JSONError(position: 3, reason: .loneSurrogate)) { _ = try Self.read("[\"x\\ud800\"]") }
    }

    @Test(arguments: [1_000, 10_000, 100_000])
    func `the bytes that are looked at are proportional to the text`(size: Int) throws {
        var limits = JSONLimits()
        limits.values = .max
        let texts = [
            "\"" + String(repeating: "a", count: size) + "\"", "\"" + String(repeating: "\\u0041", count: size / 6) + "\"",
            "[" + String(repeating: "1,", count: size / 2) + "1]",
            "{" + (0..<size / 10).map { "\"n\(100_000 + $0)\":0" }.joined(separator: ",") + "}",
        ]
        for text in texts {
            let bytes = Array(text.utf8)
            let examined = try JSONReader.measuredRead(bytes.span.bytes, secretMembers: [], limits: limits).examinedByteCount
            #expect(examined <= 4 * bytes.count)
        }
    }

    @Test func `values take the room that the limit is computed from`() {
        #expect(MemoryLayout<JSONMember>.stride <= 48 && MemoryLayout<JSONValue>.stride <= 24)
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `damaged texts never trap`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array(rendered(randomValue(&generator, depth: 4)).utf8)
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            if Bool.random(using: &generator) {
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            } else {
                bytes.removeSubrange(index...)
            }
        }
        if let value = try? Self.read(bytes, secretMembers: ["s"]), case .array(let elements) = value { #expect(elements.count <= bytes.count) }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `what is written is read back the same`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let text = rendered(randomValue(&generator, depth: 5))
        #expect(rendered(try Self.read(text)) == text)
    }

    // MARK: Access

    @Test func `members are found by their bytes`() throws {
        let value = try Self.read("{\"\u{212A}msKeyId\":1,\"SecretId\":\"x\"}")
        #expect(value["KmsKeyId"] == nil)
        #expect(value["SecretId"]?.kind == .string)
        #expect(try Self.read("[1]")["a"] == nil)
    }

    @Test(arguments: [("0", 0), ("-5", -5), ("9223372036854775807", Int64.max), ("9223372036854775808", nil), ("1.0", nil), ("1e2", nil)])
    func `only integers that fit are integers`(_ text: String, _ expected: Int64?) throws {
        guard case .number(let number) = try Self.read(text) else { throw JSONError(position: 0, reason: .unexpectedByte) }
        #expect(number.int64 == expected && number.text == text)
    }

    // MARK: Secrets

    @Test(arguments: [("\"plain\"", "plain"), (#""\u00e9\n\ud83d\ude00é""#, "é\n😀é"), ("\"\"", "")])
    func `a secret member is decoded into secret bytes`(_ text: String, _ expected: String) throws {
        let value = try Self.read("{\"a\":[{\"SecretString\":\(text),\"Other\":\"o\"}]}", secretMembers: ["SecretString", "SecretBinary"])
        guard case .array(let elements) = value["a"], case .secret(let secret) = elements[0]["SecretString"] else {
            Issue.record("not a secret")
            return
        }
        #expect(secret.withUnsafeBytes { Array($0) } == Array(expected.utf8))
        #expect(elements[0]["Other"]?.kind == .string)
    }

    @Test func `an escaped spelling of a secret member is secret too`() throws {
        let value = try Self.read(#"{"Secret\u0053tring":"x"}"#, secretMembers: ["SecretString"])
        #expect(value["SecretString"]?.kind == .secret)
    }

    @Test func `a secret member may be null`() throws {
        #expect(try Self.read("{\"s\":null}", secretMembers: ["s"])["s"]?.kind == .null)
    }

    @Test(arguments: ["1", "true", "[\"a\"]", "{\"a\":\"b\"}"])
    func `a secret member of another kind is not even decoded`(_ text: String) {
        #expect(throws: JSONError(position: 5, reason: .secretNotAString)) { _ = try Self.read("{\"s\":\(text)}", secretMembers: ["s"]) }
    }

    @Test(arguments: ["{\"s\":\"MARKER\\x\"}", "{\"s\":\"MARKER\n\"}", "{\"s\":\"MARKER", "{\"s\":\"MARKER\"} x", "{\"s\":MARKER}", "{\"MARKER\":1,\"MARKER\":1}"])
    func `errors hold nothing of the text`(_ text: String) {
        let error = #expect(throws: JSONError.self) { _ = try Self.read(text, secretMembers: ["s"]) }
        #expect(error.map { "\($0) \(String(reflecting: $0))".contains("MARKER") } == false)
    }

    @Test func `secrets do not print`() throws {
        let value = try Self.read("{\"s\":\"MARKER\"}", secretMembers: ["s"])
        var dumped = ""
        dump(value, to: &dumped)
        #expect(!"\(value) \(String(reflecting: value)) \(dumped)".contains("MARKER"))
    }
}

/// Writes a value in the one form that the writer knows.
func rendered(_ value: JSONValue) -> String {
    var writer = JSONWriter(capacity: 1)
    write(value, to: &writer)
    return String(buffer: writer.finish())
}

private func write(_ value: JSONValue, to writer: inout JSONWriter) {
    switch value {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let number):
        // The writer has integers only; other numbers are shown as they were read.
        if let integer = number.int64 { writer.integer(integer) } else { writer.number(number) }
    case .string(let text): writer.string(text)
    case .secret(let secret): writer.string(secret)
    case .array(let elements):
        writer.beginArray()
        for element in elements { write(element, to: &writer) }
        writer.endArray()
    case .object(let members):
        writer.beginObject()
        for member in members {
            writer.name(member.name)
            write(member.value, to: &writer)
        }
        writer.endObject()
    }
}

private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
    case 0: return .null
    case 1: return .bool(.random(using: &generator))
    case 2: return .number(JSONNumber(text: "\(Int64.random(in: .min ... .max, using: &generator))"))
    case 3, 4: return .string(randomText(&generator))
    case 5: return .array((0..<Int.random(in: 0...6, using: &generator)).map { _ in randomValue(&generator, depth: depth - 1) })
    default:
        let count = Int.random(in: 0...20, using: &generator)
        return .object((0..<count).map { JSONMember(name: "\($0)" + randomText(&generator), value: randomValue(&generator, depth: depth - 1)) })
    }
}

private func randomText(_ generator: inout SeededGenerator) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...20, using: &generator) {
        let largest: UInt32 = [0x20, 0x80, 0x800, 0xD7FF, 0x10FFFF].randomElement(using: &generator) ?? 0x80
        if let scalar = Unicode.Scalar(UInt32.random(in: 0...largest, using: &generator)) { text.unicodeScalars.append(scalar) }
    }
    return text
}
