internal import SecretStore

/// ListSecretVersionIds (behaviour 3.5). Works on secrets that are scheduled for deletion: it does not declare the error for them.
enum ListSecretVersionIds: Operation {
    static let name = "ListSecretVersionIds"

    /// Versions of one page, if the caller names no number.
    static let pageDefault: Int64 = 100
    /// What `KmsKeyIds` says of the default key (recorded).
    static let defaultKeyName = "DefaultEncryptionKey"

    struct Input: InputStructure {
        let secretID: String
        let maxResults: Int64
        let nextToken: String?
        let includesDeprecated: Bool

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            maxResults = members.optional("MaxResults", Shapes.maxResults) ?? pageDefault
            nextToken = members.optional("NextToken", Shapes.nextToken)
            includesDeprecated = members.flag("IncludeDeprecated")
        }
    }

    struct Output: OutputStructure {
        let secret: SecretOutput
        /// In the order they were written. AWS's order is not known.
        let versions: [SecretVersion]
        let nextToken: String?

        func write(to json: inout JSONWriter) {
            json.name("Versions")
            json.beginArray()
            for version in versions {
                json.beginObject()
                json.member("VersionId", version.id.rawValue)
                if !version.labels.isEmpty { json.member("VersionStages", texts: version.labels) }
                if let day = version.lastAccessedDay { json.member("LastAccessedDate", day) }
                json.member("CreatedDate", version.createdAt)
                json.name("KmsKeyIds")
                json.beginArray()
                json.string(version.kmsKeyID ?? defaultKeyName)
                json.endArray()
                json.endObject()
            }
            json.endArray()
            if let nextToken { json.member("NextToken", nextToken) }
            secret.write(to: &json)
        }

        var capacityHint: Int { 512 + versions.count * 256 }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        let target = try call.target(input.secretID)
        return try call.require(target).map { record throws(APIError) in try page(of: record, input, call) }
    }

    private static func page(of record: SecretRecord, _ input: Input, _ call: Call) throws(APIError) -> Output {
        let arn = call.services.store.arn(of: record)
        let scope = call.pageScope([arn.description, input.includesDeprecated ? "all" : "labelled"])
        var remaining = record.versions[...]
        if let token = input.nextToken {
            // The cursor is the version that the last page ended with. Should it have been dropped since, this page begins the list anew:
            // better a version twice than one never.
            let id = VersionID(String(decoding: try call.services.pageTokens.cursor(in: token, scope, now: call.now), as: UTF8.self))
            if let last = remaining.firstIndex(where: { $0.id == id }) { remaining = remaining[(last + 1)...] }
        }
        let listed = remaining.filter { input.includesDeprecated || !$0.labels.isEmpty }
        let page = listed.prefix(Int(input.maxResults))
        var nextToken: String?
        if page.count < listed.count, let last = page.last {
            nextToken = call.services.pageTokens.token(cursor: Array(last.id.rawValue.utf8), scope, now: call.now)
        }
        return Output(secret: SecretOutput(arn), versions: Array(page), nextToken: nextToken)
    }
}
