/// Text that is compared and sorted by its UTF-8 bytes.
///
/// `String` compares by Unicode equivalence, whose tables change between versions of the standard library; a decision of
/// `apply` must be the same on every machine, and AWS compares names, tokens, labels and tag keys exactly.
package protocol ByteExactText: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The text as it was given.
    var rawValue: String { get }
}

extension ByteExactText {
    package var description: String { rawValue }

    package static func == (a: Self, b: Self) -> Bool { a.rawValue.utf8.elementsEqual(b.rawValue.utf8) }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue.utf8.lexicographicallyPrecedes(b.rawValue.utf8) }

    package func hash(into hasher: inout Hasher) {
        var text = rawValue
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(rawValue.utf8.count)
    }
}

/// The friendly name of a secret: unique per account, also while the secret is scheduled for deletion.
package struct SecretName: ByteExactText {
    package let rawValue: String

    /// - Parameter text: 1 to 512 of the characters that AWS names in "Invalid name. Must be a valid name containing
    ///   alphanumeric characters, or any of the following: -/_+=.@!"; nil for anything else.
    package init?(_ text: String) {
        guard (1...Limits.nameBytesMax).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        rawValue = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "."),
            UInt8(ascii: "@"), UInt8(ascii: "!"):
            true
        default: byte.isASCIIAlphanumeric
        }
    }
}

/// The id of a version: the `ClientRequestToken` that made it, verbatim. Any text, not only UUIDs.
package struct VersionID: ByteExactText {
    package let rawValue: String

    package init(_ text: String) { rawValue = text }
}

/// A staging label (`VersionStage`).
package struct StagingLabel: ByteExactText {
    package let rawValue: String

    package init(_ text: String) { rawValue = text }

    /// On exactly one version of every secret that has a value.
    package static let current = StagingLabel("AWSCURRENT")
    /// On the version that was current before.
    package static let previous = StagingLabel("AWSPREVIOUS")
    /// On the version that a rotation is making.
    package static let pending = StagingLabel("AWSPENDING")
}

/// The key of a tag: case sensitive, unique per secret.
package struct TagKey: ByteExactText {
    package let rawValue: String

    package init(_ text: String) { rawValue = text }
}

/// A tag of a secret.
package struct Tag: Equatable, Sendable {
    package var key: TagKey
    package var value: String

    package init(key: TagKey, value: String) {
        self.key = key
        self.value = value
    }

    package static func == (a: Tag, b: Tag) -> Bool { a.key == b.key && a.value.utf8.elementsEqual(b.value.utf8) }
}

extension UInt8 {
    /// A letter of either case or a digit.
    var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
