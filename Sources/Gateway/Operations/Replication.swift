internal import SecretStore

/// `ReplicaRegionType`.
struct ReplicaRegion: InputStructure {
    let region: String?
    let kmsKeyID: String?

    init(reading members: inout Members) {
        region = members.optional("Region", Shapes.region)
        kmsKeyID = members.optional("KmsKeyId", Shapes.kmsKeyID)
    }

    static let list = StructureListShape(ReplicaRegion.self, count: 1...Int.max)

    /// - Throws: InvalidParameterException for an entry without a region, or with this cluster's own.
    static func check(_ regions: [ReplicaRegion], _ call: Call) throws(APIError) {
        for entry in regions {
            guard let region = entry.region, region != call.services.scope.region else {
                throw APIError(.invalidParameter, "Invalid replica region.")
            }
            _ = try KMSKeyID.parse(entry.kmsKeyID ?? "")
        }
    }
}

/// ReplicateSecretToRegions (behaviour 3.15): checked, then refused.
enum ReplicateSecretToRegions: OperationNotOffered {
    static let name = "ReplicateSecretToRegions"

    struct Input: InputStructure {
        let secretID: String
        let regions: [ReplicaRegion]

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            regions = members.required("AddReplicaRegions", ReplicaRegion.list)
            _ = members.flag("ForceOverwriteReplicaSecret")
        }
    }

    static func secretID(_ input: Input) -> String { input.secretID }

    static func checkAfterLookup(_ input: Input, _ call: Call) throws(APIError) { try ReplicaRegion.check(input.regions, call) }
}

/// RemoveRegionsFromReplication (behaviour 3.15): checked, then refused.
enum RemoveRegionsFromReplication: OperationNotOffered {
    static let name = "RemoveRegionsFromReplication"

    struct Input: InputStructure {
        let secretID: String

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            _ = members.required("RemoveReplicaRegions", Shapes.removeReplicaRegions)
        }
    }

    static func secretID(_ input: Input) -> String { input.secretID }
}

/// StopReplicationToReplica (behaviour 3.15): checked, then refused.
enum StopReplicationToReplica: OperationNotOffered {
    static let name = "StopReplicationToReplica"

    typealias Input = SecretIDInput

    static func secretID(_ input: SecretIDInput) -> String { input.secretID }
}

/// AssociateCrossAccountReplica (behaviour section 10): checked, then refused.
enum AssociateCrossAccountReplica: OperationNotOffered {
    static let name = "AssociateCrossAccountReplica"

    struct Input: InputStructure {
        let secretID: String

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            _ = members.required("CrossAccountReplicaARN", Shapes.secretARN)
            _ = members.optional("ReplicaRestriction", StringShape(oneOf: ["SameOrg", "NoRestriction"]))
            _ = members.optional("ReplicationRoleARN", Shapes.roleARN)
        }
    }

    static func secretID(_ input: Input) -> String { input.secretID }
}

/// DisassociateCrossAccountReplica (behaviour section 10): checked, then refused.
enum DisassociateCrossAccountReplica: OperationNotOffered {
    static let name = "DisassociateCrossAccountReplica"

    struct Input: InputStructure {
        let secretID: String

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            _ = members.required("CrossAccountReplicaARN", Shapes.secretARN)
        }
    }

    static func secretID(_ input: Input) -> String { input.secretID }
}
