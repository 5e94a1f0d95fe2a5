package import OpenSSL

/// Who signed a request, once the signature has been found right.
package struct Principal: Hashable, Sendable {
    /// What sort of identity it is. Only the account root exists so far.
    package enum Kind: Hashable, Sendable { case root }

    /// The account, 12 digits.
    package let account: String
    package let kind: Kind
    /// For the root: `arn:<partition>:iam::<account>:root`.
    package let arn: String
    /// The key that signed.
    package let accessKeyID: String

    /// The root of `account`.
    package init(rootOf account: String, accessKeyID: String, partition: String = "aws") {
        self.account = account
        kind = .root
        arn = "arn:\(partition):iam::\(account):root"
        self.accessKeyID = accessKeyID
    }
}

/// A long-term access key, as the verifier's lookup returns it.
package struct AccessKey: Sendable {
    /// The public half, such as `AKIA` and 16 more characters.
    package let id: String
    /// The 40 characters (not the 30 bytes behind them) that clients put after `AWS4` to derive signing keys.
    package let secret: SecretBytes
    /// The account that the key belongs to, 12 digits.
    package let account: String
    /// A key that is not active is answered like one that does not exist.
    package let isActive: Bool
    /// Differs between any two states of the key's record, for example the log index of its last change. Derived keys that were
    /// made under another generation are dropped.
    package let generation: UInt64

    package init(id: String, secret: SecretBytes, account: String, isActive: Bool, generation: UInt64) {
        self.id = id
        self.secret = secret
        self.account = account
        self.isActive = isActive
        self.generation = generation
    }
}
