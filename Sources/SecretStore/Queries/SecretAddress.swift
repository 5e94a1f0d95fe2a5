/// Where a query looks for a secret: name and account, and the ARN's suffix if the caller gave one.
package struct SecretAddress: Hashable, Sendable {
    package var key: SecretKey
    /// nil: whatever secret has the name now.
    package var suffix: ARNSuffix?

    package init(key: SecretKey, suffix: ARNSuffix? = nil) {
        self.key = key
        self.suffix = suffix
    }
}

extension SecretIdentifier {
    /// Where to look, for a caller of that account; nil for what cannot be here.
    package func address(for caller: AccountID) -> SecretAddress? {
        switch self {
        case .name(let name): SecretAddress(key: SecretKey(account: caller, name: name))
        case .arn(let arn): SecretAddress(key: SecretKey(account: arn.account, name: arn.name), suffix: arn.suffix)
        case .partialARN(let account, let name): SecretAddress(key: SecretKey(account: account, name: name))
        case .elsewhere, .invalid: nil
        }
    }
}
