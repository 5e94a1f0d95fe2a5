internal import Access
internal import NIOCore
internal import SecretStore

/// One authenticated call, as an operation sees it.
struct Call: Sendable {
    let principal: Principal
    /// The account of the caller.
    let account: AccountID
    /// Name of the operation, as policies and texts name it.
    let operation: String
    /// The node's wall clock when the call came in.
    let now: Timestamp
    /// Where the call runs, and where its later parts come back to.
    let eventLoop: any EventLoop
    let services: Services
    /// The call word for word, for an operation that remembers its answers.
    var question: Question?
}

/// What a `SecretId` points at, before anything is looked up.
enum SecretTarget: Sendable {
    /// A secret of the caller's account, by name and perhaps by the suffix that its ARN must have.
    case here(SecretName, suffix: ARNSuffix?)
    /// A secret that cannot be in this cluster: another region or partition.
    case elsewhere
}

extension Call {
    /// Reads a `SecretId` (behaviour 2.2).
    ///
    /// - Throws: The "Invalid name." ValidationException for text that is neither a name nor a secret's ARN; AccessDeniedException for a
    ///   secret of another account. There are no policies yet that could admit the caller, and whether the secret exists must not show.
    func target(_ secretID: String, for operation: String? = nil) throws(APIError) -> SecretTarget {
        let operation = operation ?? self.operation
        switch SecretIdentifier(secretID, in: services.scope) {
        case .invalid: throw .invalidName
        case .elsewhere: return .elsewhere
        case .name(let name): return .here(name, suffix: nil)
        case .arn(let arn):
            try checkAccount(arn.account, secretID, operation)
            return .here(arn.name, suffix: arn.suffix)
        case .partialARN(let account, let name):
            try checkAccount(account, secretID, operation)
            return .here(name, suffix: nil)
        }
    }

    private func checkAccount(_ account: AccountID, _ secretID: String, _ operation: String) throws(APIError) {
        guard account == self.account else { throw .accessDenied(principal: principal.arn, operation: operation, resource: secretID) }
    }
}

extension APIError {
    /// AWS's sentence for a caller of another account (iam.md 4.1; behaviour section 6).
    static func accessDenied(principal: String, operation: String, resource: String) -> APIError {
        APIError(
            .accessDenied,
            "User: \(principal) is not authorized to perform: secretsmanager:\(operation) on resource: \(resource) because no resource-based "
                + "policy allows the secretsmanager:\(operation) action")
    }
}
