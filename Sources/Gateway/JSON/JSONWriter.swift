package import NIOCore
package import OpenSSL

/// Writes one JSON value (RFC 8259) into a fresh buffer. Commas are set by the writer; brackets and names are the caller's to pair.
///
/// The buffer may hold a secret, so it never grows in place: growth copies to a new buffer and wipes the old one. Noncopyable, so that
/// there is one buffer. A writer that is dropped unfinished wipes what it wrote.
package struct JSONWriter: ~Copyable {
    private var buffer: ByteBuffer
    private var needsComma = false

    /// - Parameters:
    ///   - capacity: Expected size of the result in bytes. A good guess saves copies.
    ///   - isContinued: Whether the text goes on behind a value, of which it is the rest.
    package init(capacity: Int = 512, isContinued: Bool = false) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        needsComma = isContinued
    }

    deinit { buffer.wipe() }

    /// The buffer as it is now, for tests of what is left in memory.
    var bufferForTesting: ByteBuffer { buffer }

    /// The text, which its last user wipes.
    package consuming func finish() -> ByteBuffer {
        var result = ByteBuffer()
        swap(&result, &buffer)
        return result
    }

    // MARK: Structure

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes the name of a member; its value comes next.
    ///
    /// - Parameter name: Holds nothing that needs an escape.
    package mutating func name(_ name: StaticString) {
        comma()
        append(name.utf8CodeUnitCount + 3) { cursor in
            cursor.append(UInt8(ascii: "\""))
            cursor.append(name)
            cursor.append("\":")
        }
        needsComma = false
    }

    /// Writes the name of a member; its value comes next.
    package mutating func name(_ name: String) {
        string(name)
        append(1) { $0.append(UInt8(ascii: ":")) }
        needsComma = false
    }

    // MARK: Values

    package mutating func null() { word("null") }
    package mutating func bool(_ value: Bool) { word(value ? "true" : "false") }

    /// Writes a number as it was read.
    package mutating func number(_ value: JSONNumber) {
        comma()
        append(value.text.utf8.count) { $0.append(value.text) }
    }

    package mutating func integer(_ value: Int64) {
        comma()
        append(20) { cursor in
            if value < 0 { cursor.append(UInt8(ascii: "-")) }
            cursor.append(magnitude: value.magnitude)
        }
    }

    /// Writes a time as AWS JSON does: seconds since 1970 with three decimals, `1523477145.729`.
    package mutating func timestamp(millisecondsSince1970 time: Int64) {
        comma()
        append(24) { cursor in
            if time < 0 { cursor.append(UInt8(ascii: "-")) }
            cursor.append(magnitude: time.magnitude / 1_000)
            cursor.append(UInt8(ascii: "."))
            for divisor: UInt64 in [100, 10, 1] { cursor.append(UInt8(time.magnitude / divisor % 10) + UInt8(ascii: "0")) }
        }
    }

    package mutating func string(_ value: String) {
        comma()
        var value = value
        value.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a secret text as a string, without another copy of it.
    ///
    /// - Parameter text: UTF-8, as the reader guarantees for what it reads; bytes above ASCII go out as they are.
    package mutating func string(_ text: SecretBytes) {
        comma()
        text.withUnsafeBytes { quoted($0) }
    }

    /// Writes secret bytes as a string in base64, as AWS JSON does for blobs.
    package mutating func base64(_ bytes: SecretBytes) {
        comma()
        bytes.withUnsafeBytes { base64($0) }
    }

    /// Writes a secret text that `body` puts into the memory lent to it, and says where in it. A text without escapes, as nearly all
    /// are, is nowhere else on its way.
    ///
    /// - Parameter isPlain: Whether it is known to need no escape.
    package mutating func string(
        ofAtMost byteCountMax: Int, isPlain: Bool = false, _ body: (UnsafeMutableRawBufferPointer) throws -> Range<Int>
    ) rethrows {
        comma()
        reserve(byteCountMax + 2)
        var unescaped: SecretBytes?
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCountMax + 2) { output in
            let range = try body(UnsafeMutableRawBufferPointer(rebasing: output[..<byteCountMax]))
            let text = UnsafeRawBufferPointer(rebasing: output[range])
            guard isPlain || !JSONEscape.isNeeded(in: text) else {
                unescaped = SecretBytes(copying: text)
                return 0
            }
            UnsafeMutableRawBufferPointer(rebasing: output[1...]).copyMemory(from: text)
            output[0] = UInt8(ascii: "\"")
            output[text.count + 1] = UInt8(ascii: "\"")
            return text.count + 2
        }
        unescaped?.withUnsafeBytes { quoted($0) }
    }

    /// Writes secret bytes that `body` puts into the memory lent to it, as base64.
    package mutating func base64(ofAtMost byteCountMax: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Range<Int>) rethrows {
        var range = 0..<0
        let space = try SecretBytes(count: byteCountMax) { range = try body($0) }
        comma()
        space.withUnsafeBytes { base64(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Writes bytes as they are: a part of a value, or several, that another writer made.
    package mutating func raw(_ bytes: [UInt8]) {
        append(bytes.count) { cursor in bytes.withUnsafeBytes { cursor.append($0) } }
        needsComma = false
    }

    // MARK: Members

    package mutating func member(_ name: StaticString, _ value: String) {
        self.name(name)
        string(value)
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    package mutating func member(_ name: StaticString, _ value: Int64) {
        self.name(name)
        integer(value)
    }

    /// Writes a member whose value is a secret text; see ``string(_:)-(SecretBytes)``.
    package mutating func member(_ name: StaticString, secretText: SecretBytes) {
        self.name(name)
        string(secretText)
    }

    package mutating func member(_ name: StaticString, base64 bytes: SecretBytes) {
        self.name(name)
        base64(bytes)
    }

    package mutating func member(_ name: StaticString, millisecondsSince1970 time: Int64) {
        self.name(name)
        timestamp(millisecondsSince1970: time)
    }

    // MARK: Bytes

    private mutating func open(_ bracket: UInt8) {
        comma()
        append(1) { $0.append(bracket) }
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        append(1) { $0.append(bracket) }
        needsComma = true
    }

    private mutating func word(_ word: StaticString) {
        comma()
        append(word.utf8CodeUnitCount) { $0.append(word) }
    }

    /// Sets the comma before a value or name that follows another, and notes that a value was written.
    private mutating func comma() {
        if needsComma { append(1) { $0.append(UInt8(ascii: ",")) } }
        needsComma = true
    }

    private mutating func quoted(_ text: UnsafeRawBufferPointer) {
        append(JSONEscape.escapedCount(text) + 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            JSONEscape.append(text, to: &cursor)
            cursor.append(UInt8(ascii: "\""))
        }
    }

    private mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        let count = Base64.encodedCount(bytes.count)
        append(count + 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            cursor.append(count: count) { output in Base64.encode(bytes, into: output) }
            cursor.append(UInt8(ascii: "\""))
        }
    }

    private mutating func append(_ byteCountMax: Int, _ body: (inout ByteCursor) -> Void) {
        reserve(byteCountMax)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCountMax) { output in
            var cursor = ByteCursor(output)
            body(&cursor)
            return cursor.count
        }
    }

    private mutating func reserve(_ byteCount: Int) {
        guard buffer.writableBytes < byteCount else { return }
        var grown = ByteBufferAllocator().buffer(capacity: max(2 * buffer.capacity, buffer.readableBytes + byteCount))
        grown.writeImmutableBuffer(buffer)
        buffer.wipe()
        buffer = grown
    }
}

extension ByteCursor {
    /// Appends a number in decimal.
    fileprivate mutating func append(magnitude: UInt64) {
        var divisor: UInt64 = 1
        while magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(magnitude / divisor % 10) + UInt8(ascii: "0"))
            divisor /= 10
        }
    }
}
