/// Every operation that the server knows. This is the one place to name a new one.
enum OperationTable {
    static let all: [any Operation.Type] = [
        CreateSecret.self,
        GetSecretValue.self,
        BatchGetSecretValue.self,
        PutSecretValue.self,
        UpdateSecret.self,
        UpdateSecretVersionStage.self,
        DescribeSecret.self,
        ListSecrets.self,
        ListSecretVersionIds.self,
        DeleteSecret.self,
        RestoreSecret.self,
        TagResource.self,
        UntagResource.self,
        PutResourcePolicy.self,
        GetResourcePolicy.self,
        DeleteResourcePolicy.self,
        ListResourcePolicies.self,
        ValidateResourcePolicy.self,
        GetRandomPassword.self,
        RotateSecret.self,
        CancelRotateSecret.self,
        ReplicateSecretToRegions.self,
        RemoveRegionsFromReplication.self,
        StopReplicationToReplica.self,
        AssociateCrossAccountReplica.self,
        DisassociateCrossAccountReplica.self,
    ]

    /// The operations' names.
    static var names: [String] { all.map { $0.name } }

    /// What `X-Amz-Target` says before the operation's name.
    static let targetPrefix = "secretsmanager."

    /// Operations whose target has that many bytes: one to four.
    private static let byTargetByteCount: [[(target: [UInt8], operation: any Operation.Type)]] = {
        let targets = all.map { (target: Array((targetPrefix + $0.name).utf8), operation: $0) }
        var buckets = Array(repeating: [(target: [UInt8], operation: any Operation.Type)](), count: 1 + (targets.map(\.target.count).max() ?? 0))
        for entry in targets { buckets[entry.target.count].append(entry) }
        return buckets
    }()

    /// The operation that a value of `X-Amz-Target` names. Case matters.
    static func operation(target: RawSpan) -> (any Operation.Type)? {
        guard target.byteCount < byTargetByteCount.count else { return nil }
        return target.withUnsafeBytes { bytes in
            byTargetByteCount[bytes.count].first { entry in
                entry.target.withUnsafeBytes { bytes.isEqual(to: $0) }
            }?.operation
        }
    }
}
