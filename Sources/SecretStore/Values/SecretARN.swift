import OpenSSL

/// The six characters behind the name in a secret's ARN. New with every creation, so a name that was deleted and made again
/// has another ARN.
package struct ARNSuffix: ByteExactText {
    /// Length, in characters.
    static let characterCount = 6
    /// Letters of both cases and digits, as seen in real ARNs.
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    package let rawValue: String

    /// - Parameter text: Six ASCII letters or digits; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == Self.characterCount, text.utf8.allSatisfy(\.isASCIIAlphanumeric) else { return nil }
        rawValue = text
    }

    /// A new suffix, for the proposer of a `createSecret`.
    package static func random(using generator: inout some RandomNumberGenerator) -> ARNSuffix {
        let characters = (0..<characterCount).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] }
        guard let suffix = ARNSuffix(String(decoding: characters, as: UTF8.self)) else {
            preconditionFailure("six characters of the alphabet are a suffix")
        }
        return suffix
    }

    /// A new suffix from the system's generator.
    package static func random() -> ARNSuffix {
        var generator = SecureRandom.Generator()
        return random(using: &generator)
    }
}

/// The full ARN of a secret: `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<suffix>`.
package struct SecretARN: Hashable, Sendable, CustomStringConvertible {
    package var partition: String
    package var region: String
    package var account: AccountID
    package var name: SecretName
    package var suffix: ARNSuffix

    package init(partition: String, region: String, account: AccountID, name: SecretName, suffix: ARNSuffix) {
        self.partition = partition
        self.region = region
        self.account = account
        self.name = name
        self.suffix = suffix
    }

    /// The ARN as text.
    package var description: String { "arn:\(partition):secretsmanager:\(region):\(account):secret:\(name)-\(suffix)" }

    /// What a command names the secret by.
    package var reference: SecretReference { SecretReference(name: name, suffix: suffix) }
}

/// A secret as its proposer resolved it, within the account of the mutation.
///
/// `apply` compares the suffix with the stored one: after a deletion and a new creation in the meantime the command must not
/// hit the new secret, for which its value was not encrypted.
package struct SecretReference: Hashable, Sendable {
    package var name: SecretName
    package var suffix: ARNSuffix

    package init(name: SecretName, suffix: ARNSuffix) {
        self.name = name
        self.suffix = suffix
    }
}
