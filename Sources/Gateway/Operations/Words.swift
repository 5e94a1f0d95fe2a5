/// Words, as the `description` and `all` filters of ListSecrets see them (behaviour 3.4; user guide, "Find secrets").
///
/// A text falls apart at blanks and punctuation, where lower case turns to upper case (`SecretOne` is Secret, One; `COMPANYthings` is
/// COMPAN, Ythings; `COMPANY` is one word), and between letters and digits. But a run without blanks that mixes two different
/// characters of ``joiners`` stays whole: `prod-AppBeta/x` is never found by `AppBeta`. (Recorded for values without blanks; applied per
/// run here, so that one odd word in a long description does not hide the others.)
///
/// Letters outside ASCII count as lower case. Filter values are ASCII, so that matching folds ASCII case only.
enum Words {
    /// The characters of which two different ones keep a run whole.
    private static let joiners = Array("/-_+=.@".utf8)

    private enum Class { case lower, upper, digit, separator, blank }

    private static func classify(_ byte: UInt8) -> Class {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: .lower
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): .upper
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .digit
        case 0...0x20, 0x7F: .blank
        default: .separator
        }
    }

    /// The words of `text`, lower-cased, in order.
    static func split(_ text: String) -> [[UInt8]] {
        var words: [[UInt8]] = []
        _ = firstWord(in: text) { word in
            words.append(word.map(lowercased))
            return false
        }
        return words
    }

    /// Whether some word of `text` begins with `prefix`, which is in lower case.
    static func contains(wordBeginningWith prefix: [UInt8], in text: String) -> Bool {
        firstWord(in: text) { word in
            word.count >= prefix.count && zip(word, prefix).allSatisfy { lowercased($0) == $1 }
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Goes through the words until `isWanted` says so, and returns whether it did. Linear in the length of the text.
    private static func firstWord(in text: String, where isWanted: (Slice<UnsafeBufferPointer<UInt8>>) -> Bool) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                guard classify(bytes[start]) != .blank else {
                    start += 1
                    continue
                }
                var end = start
                while end < bytes.count, classify(bytes[end]) != .blank { end += 1 }
                if firstWord(ofRun: bytes[start..<end], where: isWanted) { return true }
                start = end
            }
            return false
        }
    }

    private static func firstWord(
        ofRun run: Slice<UnsafeBufferPointer<UInt8>>, where isWanted: (Slice<UnsafeBufferPointer<UInt8>>) -> Bool
    ) -> Bool {
        if mixesJoiners(run) { return isWanted(run) }
        var start = run.startIndex
        for index in run.indices {
            let this = classify(run[index])
            if this == .separator {
                if start < index, isWanted(run[start..<index]) { return true }
                start = index + 1
            } else if index > start, isBoundary(before: index, this, in: run) {
                if isWanted(run[start..<index]) { return true }
                start = index
            }
        }
        return start < run.endIndex && isWanted(run[start...])
    }

    private static func isBoundary(before index: Int, _ this: Class, in run: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        switch (classify(run[index - 1]), this) {
        case (.lower, .upper), (.lower, .digit), (.upper, .digit), (.digit, .lower), (.digit, .upper): true
        // The last capital of several begins the next word.
        case (.upper, .upper): index + 1 < run.endIndex && classify(run[index + 1]) == .lower
        default: false
        }
    }

    private static func mixesJoiners(_ run: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var found: UInt8?
        for byte in run where joiners.contains(byte) {
            if let found, found != byte { return true }
            found = byte
        }
        return false
    }
}
