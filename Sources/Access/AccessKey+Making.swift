import OpenSSL

/// Making access keys, and checking those that an operator brings along.
extension AccessKey {
    /// First characters of the id of a long-term key (IAM User Guide, "IAM identifiers").
    static let longTermPrefix = "AKIA"
    /// First characters of the id of a temporary key, which works only with a session token.
    static let temporaryPrefix = "ASIA"
    /// Lengths of a key id that AWS allows, in characters (`AccessKeyId` of the IAM API).
    static let idCharacterCounts = 16...128
    /// Random bytes behind a new id: 80 bits, so that ids cannot be guessed.
    static let idRandomByteCount = 10
    /// Random bytes behind a secret: 240 bits.
    static let secretRandomByteCount = 30
    /// Length of a secret, in characters: base64 of ``secretRandomByteCount`` bytes, without padding.
    package static let secretCharacterCount = 40

    private static let base32: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    private static let base64: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// A new active key with a random id and secret. Safe from any thread.
    package static func random(account: String, generation: UInt64) -> AccessKey {
        AccessKey(id: randomID(), secret: randomSecret(), account: account, isActive: true, generation: generation)
    }

    /// `AKIA` and 16 characters of `A-Z2-7`. The account is not in it: anyone could read it there.
    static func randomID() -> String {
        var text = Array(longTermPrefix.utf8)
        var bits: UInt32 = 0
        var bitCount = 0
        for byte in SecureRandom.bytes(idRandomByteCount) {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 5 {
                bitCount -= 5
                text.append(base32.utf8Start[Int(bits >> UInt32(bitCount) & 0x1f)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// 40 characters of `A-Za-z0-9+/`.
    static func randomSecret() -> SecretBytes {
        let random = SecretBytes.random(count: secretRandomByteCount)
        return SecretBytes(count: secretCharacterCount) { text in
            random.withUnsafeBytes { bytes in
                for group in 0..<secretRandomByteCount / 3 {
                    let bits = UInt32(bytes[3 * group]) << 16 | UInt32(bytes[3 * group + 1]) << 8 | UInt32(bytes[3 * group + 2])
                    for i in 0..<4 {
                        text[4 * group + i] = base64.utf8Start[Int(bits >> UInt32(18 - 6 * i) & 0x3f)]
                    }
                }
            }
        }
    }

    /// Whether `id` may be the id of a long-term key: 16 to 128 letters, digits or underscores (AWS's pattern), and not that of a
    /// temporary key.
    package static func isWellFormed(id: String) -> Bool {
        idCharacterCounts ~= id.utf8.count && id.utf8.allSatisfy(isIDCharacter) && !id.hasPrefix(temporaryPrefix)
    }

    /// Whether `secret` has the form of AWS's secrets: 40 characters of base64.
    package static func isWellFormed(secret: RawSpan) -> Bool {
        guard secret.byteCount == secretCharacterCount else { return false }
        for i in 0..<secret.byteCount {
            let byte = secret.byte(at: i)
            guard ASCII.isLetterOrDigit(byte) || byte == UInt8(ascii: "+") || byte == ASCII.slash else { return false }
        }
        return true
    }

    /// A character that AWS allows in a key id.
    static func isIDCharacter(_ byte: UInt8) -> Bool {
        ASCII.isLetterOrDigit(byte) || byte == UInt8(ascii: "_")
    }
}

/// AWS account numbers: 12 decimal digits.
package enum AccountNumber {
    /// Length, in digits.
    package static let digitCount = 12

    /// Whether `text` is 12 ASCII digits.
    package static func isWellFormed(_ text: String) -> Bool {
        text.utf8.count == digitCount && text.utf8.allSatisfy(ASCII.isDigit)
    }

    /// A new account number that does not begin with 0, which spreadsheets and YAML files are known to drop.
    package static func random() -> String {
        var generator = SecureRandom.Generator()
        return String(UInt64.random(in: 100_000_000_000...999_999_999_999, using: &generator))
    }
}
