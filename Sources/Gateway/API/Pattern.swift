/// A pattern of AWS's model: its text, for messages, and a matcher written by hand. The whole value must match, as in Java.
struct Pattern: Sendable {
    /// As AWS prints it.
    let text: String
    private let match: @Sendable (UnsafeRawBufferPointer) -> Bool

    init(_ text: String, _ match: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool) {
        self.text = text
        self.match = match
    }

    /// One or more characters (or none, if `allowsEmpty`) of a set.
    init(_ text: String, of set: CharacterSet128, allowsEmpty: Bool = false) {
        self.init(text) { bytes in (allowsEmpty || !bytes.isEmpty) && bytes.allSatisfy(set.contains) }
    }

    func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { match(bytes) }

    func matches(_ text: String.UTF8View) -> Bool {
        // Native strings lend their bytes; a copy is made for none that a JSON reader makes.
        text.withContiguousStorageIfAvailable { match(UnsafeRawBufferPointer($0)) }
            ?? Array(text).withUnsafeBytes { match($0) }
    }
}

/// A set of ASCII characters, tested by one shift. No byte of a longer UTF-8 sequence is ever in it.
struct CharacterSet128: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ characters: String) {
        for byte in characters.utf8 { insert(byte) }
    }

    mutating func insert(_ byte: UInt8) {
        precondition(byte < 128, "the set holds ASCII only")
        if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
    }

    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return byte < 64 ? low >> UInt64(byte) & 1 == 1 : high >> UInt64(byte - 64) & 1 == 1
    }

    static let lowercase = "abcdefghijklmnopqrstuvwxyz"
    static let uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    static let digits = "0123456789"
    static let alphanumerics = lowercase + uppercase + digits
}

/// The patterns of the model that inputs meet.
extension Pattern {
    /// `FilterValueStringType`.
    static let filterValue = Pattern(
        #"^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$"#, of: CharacterSet128(CharacterSet128.alphanumerics + " :_@/+=.-!"), allowsEmpty: true)
    /// `RotationTokenType`.
    static let rotationToken = Pattern(#"^[a-zA-Z0-9\-]+$"#, of: CharacterSet128(CharacterSet128.alphanumerics + "-"))
    /// `ScheduleExpressionType`.
    static let scheduleExpression = Pattern(
        #"[0-9A-Za-z\(\)#\?\*\-\/, ]+"#, of: CharacterSet128(CharacterSet128.alphanumerics + "()#?*-/, "))
    /// `PolicyNameType` (model 1.44.5).
    static let policyName = Pattern(#"[0-9A-Za-z\-\_]+"#, of: CharacterSet128(CharacterSet128.alphanumerics + "-_"))

    /// `RegionType`: words of lower-case letters, each with a hyphen behind it, and a number.
    static let region = Pattern(#"^([a-z]+-)+\d+$"#) { bytes in
        let parts = bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 2, let number = parts.last, parts.allSatisfy({ !$0.isEmpty }) else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        return parts.dropLast().allSatisfy { $0.allSatisfy(letters.contains) }
            && number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// `DurationType`: hours, `3h`.
    static let duration = Pattern("[0-9]+h") { bytes in
        guard bytes.count >= 2, bytes.last == UInt8(ascii: "h") else { return false }
        return bytes.dropLast().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
