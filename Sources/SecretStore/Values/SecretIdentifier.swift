/// A `SecretId` of a request, understood: a name, a full ARN, or an ARN without its suffix.
///
/// The rule (reference, section 2.2): a text that begins with `arn:` counts by what follows `:secret:`. If that ends in a
/// hyphen and six letters or digits, it is a full ARN and nothing else, so a partial ARN whose name ends like a suffix finds
/// nothing, as with AWS. Any other text is a name, whatever it ends in.
package enum SecretIdentifier: Hashable, Sendable {
    /// A name in the caller's account.
    case name(SecretName)
    /// A full ARN of this region, perhaps of another account.
    case arn(SecretARN)
    /// An ARN of this region without suffix, perhaps of another account.
    case partialARN(account: AccountID, name: SecretName)
    /// A well-formed ARN of a secret in another region or partition: not found here.
    case elsewhere(partition: String, region: String)
    /// Neither a name nor the ARN of a secret; AWS answers with its "Invalid name." text.
    case invalid

    /// - Parameters:
    ///   - text: The `SecretId`.
    ///   - scope: Partition and region that this cluster serves.
    package init(_ text: String, in scope: ARNScope) {
        guard text.utf8.starts(with: "arn:".utf8) else {
            self = SecretName(text).map { .name($0) } ?? .invalid
            return
        }
        self = Self.parse(arn: text, in: scope) ?? .invalid
    }

    private static func parse(arn text: String, in scope: ARNScope) -> SecretIdentifier? {
        // A name holds no colon, so an ARN has exactly these seven fields.
        let fields = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { String(Substring($0)) }
        guard fields.count == 7, fields[2] == "secretsmanager", fields[5] == "secret" else { return nil }
        guard let account = AccountID(fields[4]) else { return nil }
        let partition = fields[1]
        let region = fields[3]
        let target = fields[6].utf8
        let whole = SecretName(fields[6])
        var identifier = whole.map { SecretIdentifier.partialARN(account: account, name: $0) }
        if let hyphen = target.index(target.endIndex, offsetBy: -ARNSuffix.characterCount - 1, limitedBy: target.startIndex),
            target[hyphen] == UInt8(ascii: "-"), let suffix = ARNSuffix(String(Substring(target[target.index(after: hyphen)...]))) {
            // The name of 512 characters makes a text of 519, which is no name by itself.
            guard let name = SecretName(String(Substring(target[..<hyphen]))) else { return nil }
            identifier = .arn(SecretARN(partition: partition, region: region, account: account, name: name, suffix: suffix))
        }
        guard let identifier else { return nil }
        return partition == scope.partition && region == scope.region ? identifier : .elsewhere(partition: partition, region: region)
    }
}

/// Where this cluster's secrets live: the parts of an ARN that all of them share.
package struct ARNScope: Hashable, Sendable {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    package var partition: String
    /// Region name, for example `us-east-1`.
    package var region: String

    package init(partition: String = "aws", region: String) {
        self.partition = partition
        self.region = region
    }

    /// The full ARN of a secret of this cluster.
    package func arn(account: AccountID, _ secret: SecretReference) -> SecretARN {
        SecretARN(partition: partition, region: region, account: account, name: secret.name, suffix: secret.suffix)
    }
}
