internal import SecretStore

/// DescribeSecret (behaviour 3.6, 2.4). Works on secrets that are scheduled for deletion, and does not count as an access.
enum DescribeSecret: Operation {
    static let name = "DescribeSecret"

    static func run(_ input: SecretIDInput, _ call: Call) throws(APIError) -> Reply<SecretDescription> {
        let target = try call.target(input.secretID)
        return try call.require(target).map { record in
            SecretDescription(record, call, versionsMember: "VersionIdsToStages")
        }
    }
}

/// What DescribeSecret tells of a secret, and ListSecrets of each: the same members but for the name of one.
struct SecretDescription: OutputStructure {
    private let arn: String
    private let record: SecretRecord
    /// `VersionIdsToStages` in DescribeSecret, `SecretVersionsToStages` in ListSecrets.
    private let versionsMember: StaticString

    init(_ record: SecretRecord, _ call: Call, versionsMember: StaticString) {
        arn = call.services.store.arn(of: record).description
        self.record = record
        self.versionsMember = versionsMember
    }

    func write(to json: inout JSONWriter) {
        json.member("ARN", arn)
        json.member("Name", record.name.rawValue)
        if let type = record.type { json.member("Type", type) }
        if let description = record.description { json.member("Description", description) }
        if let kmsKeyID = record.kmsKeyID { json.member("KmsKeyId", kmsKeyID) }
        json.member("LastChangedDate", record.changedAt)
        if let lastAccessedDay = record.lastAccessedDay { json.member("LastAccessedDate", lastAccessedDay) }
        if let deletion = record.deletion { json.member("DeletedDate", deletion.requestedAt) }
        if let tags = record.tags { json.member("Tags", tags) }
        writeVersions(to: &json)
        json.member("CreatedDate", record.createdAt)
    }

    /// Versions without labels are left out, and so is the member when no version has one.
    private func writeVersions(to json: inout JSONWriter) {
        guard record.versions.contains(where: { !$0.labels.isEmpty }) else { return }
        json.name(versionsMember)
        json.beginObject()
        for version in record.versions where !version.labels.isEmpty {
            json.name(version.id.rawValue)
            json.beginArray()
            for label in version.labels { json.string(label.rawValue) }
            json.endArray()
        }
        json.endObject()
    }

    var capacityHint: Int { 1024 }
}
