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

    /// What `X-Amz-Target` says before the operation's name.
    static let targetPrefix = "secretsmanager."

    private static let byTarget = Dictionary(uniqueKeysWithValues: all.map { (targetPrefix + $0.name, $0) })

    /// The operation that a value of `X-Amz-Target` names. Case matters.
    static func operation(target: String) -> (any Operation.Type)? { byTarget[target] }
}
