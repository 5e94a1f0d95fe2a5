import NIOCore
import OpenSSL
import Testing

@testable import Gateway

@Suite struct JSONWriterTests {
    private static func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8.span.bytes) }

    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(buffer: writer.finish())
    }

    @Test func `commas stand between values and nowhere else`() {
        let text = written { writer in
            writer.beginObject()
            writer.member("a", "x")
            writer.member("b", true)
            writer.name("c")
            writer.beginArray()
            writer.integer(1)
            writer.beginArray()
            writer.endArray()
            writer.beginObject()
            writer.endObject()
            writer.null()
            writer.endArray()
            writer.member("d", -5)
            writer.name("e\"")
            writer.bool(false)
            writer.endObject()
        }
        #expect(text == #"{"a":"x","b":true,"c":[1,[],{},null],"d":-5,"e\"":false}"#)
    }

    @Test(arguments: [
        (1_523_477_145_729, "1523477145.729"), (0, "0.000"), (1, "0.001"), (1_000, "1.000"), (1_700_000_000_050, "1700000000.050"),
        (-1, "-0.001"), (-1_500, "-1.500"), (Int64.max, "9223372036854775.807"), (Int64.min, "-9223372036854775.808"),
    ])
    func `times are seconds with three decimals`(_ milliseconds: Int64, _ expected: String) {
        #expect(written { $0.timestamp(millisecondsSince1970: milliseconds) } == expected)
        #expect(written { $0.member("t", millisecondsSince1970: milliseconds) } == "\"t\":\(expected)")
    }

    @Test(arguments: [Int64.min, -10, -1, 0, 9, 10, 99, 100, Int64.max])
    func `integers are written in decimal`(_ value: Int64) {
        #expect(written { $0.integer(value) } == "\(value)")
    }

    @Test func `what must be escaped is, and nothing else`() {
        let text = (0..<0x80 as Range<UInt8>).map { String(Unicode.Scalar($0)) }.joined() + "é\u{2028}\u{2029}😀"
        let result = written { $0.string(text) }
        #expect(result.hasPrefix(#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010"#))
        #expect(result.contains(##"\u001f !\"#$"##) && result.contains(#"[\\]"#) && result.hasSuffix("~\u{7F}é\u{2028}\u{2029}😀\""))
        #expect(written { $0.string(Self.secret(text)) } == result)
        #expect(rendered((try? JSONReader.read(result.utf8.span.bytes)) ?? .null) == result)
    }

    @Test func `a text that is all escapes fits`() {
        let text = String(repeating: "\u{1}", count: 5_000)
        #expect(written { $0.member("s", secretText: Self.secret(text)) } == "\"s\":\"" + String(repeating: "\\u0001", count: 5_000) + "\"")
    }

    @Test func `secret bytes are written in base64`() {
        #expect(written { $0.member("b", base64: Self.secret("hello?>")) } == "\"b\":\"aGVsbG8/Pg==\"")
        #expect(written { $0.base64(Self.secret("")) } == "\"\"")
    }

    @Test func `growth keeps the text and leaves no bytes behind`() {
        var writer = JSONWriter(capacity: 64)
        writer.beginArray()
        let marker = String(repeating: "M", count: 61)
        writer.string(Self.secret(marker))
        // Full, so that the next byte already makes it grow; a write into a buffer that the test also holds would copy it.
        let before = writer.bufferForTesting
        #expect(before.readableBytes == 64 && before.writableBytes == 0)
        writer.string(String(repeating: "x", count: 1_000))
        writer.endArray()
        #expect(isWiped(before))
        #expect(String(buffer: writer.finish()) == "[\"\(marker)\",\"" + String(repeating: "x", count: 1_000) + "\"]")
    }

    @Test func `a writer that is dropped leaves no bytes behind`() {
        let buffer: ByteBuffer
        do {
            var writer = JSONWriter()
            writer.string(Self.secret("MARKER"))
            buffer = writer.bufferForTesting
        }
        #expect(isWiped(buffer) && buffer.readableBytes == 8)
    }
}

@Suite struct Base64Tests {
    // RFC 4648, section 10.
    static let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]

    private func encoded(_ bytes: [UInt8]) -> String {
        var output = [UInt8](repeating: 0, count: Base64.encodedCount(bytes.count))
        output.withUnsafeMutableBytes { output in bytes.withUnsafeBytes { Base64.encode($0, into: output) } }
        return String(decoding: output, as: UTF8.self)
    }

    private func decoded(_ text: String) -> [UInt8]? {
        Base64.decode(text.utf8.span.bytes)?.withUnsafeBytes { Array($0) }
    }

    @Test(arguments: vectors)
    func `the standard's examples hold`(_ plain: String, _ text: String) {
        #expect(encoded(Array(plain.utf8)) == text)
        #expect(decoded(text) == Array(plain.utf8))
        #expect(Base64.decode(SecretBytes(copying: text.utf8.span.bytes))?.withUnsafeBytes { Array($0) } == Array(plain.utf8))
    }

    @Test func `every digit has its value`() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let bytes = decoded(alphabet)
        #expect(bytes?.count == 48)
        #expect(bytes.map(encoded) == alphabet)
        let digits = Set(alphabet.utf8)
        for byte in UInt8.min...UInt8.max {
            let text: [UInt8] = [byte, 65, 65, 65]
            #expect((Base64.decode(text.span.bytes) != nil) == digits.contains(byte))
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `any bytes come back`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(decoded(encoded(bytes)) == bytes)
    }

    @Test(arguments: ["A", "AA", "AAA", "AAAAA", "Zg=", "Zg", "Zm8", "=", "====", "Z===", "Zg==Zg==", "Zg=A", "Z=g=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm9-", "Zm9_", "Zmé="])
    func `anything else is refused`(_ text: String) {
        #expect(decoded(text) == nil)
    }
}
