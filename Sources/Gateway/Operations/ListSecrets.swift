internal import SecretStore

/// `SortByType`.
enum SortBy: String, CaseIterable, Sendable {
    case createdDate = "created-date"
    case lastAccessedDate = "last-accessed-date"
    case lastChangedDate = "last-changed-date"
    case name

    var order: SecretOrder {
        switch self {
        case .createdDate: .created
        case .lastAccessedDate: .accessed
        case .lastChangedDate: .changed
        case .name: .name
        }
    }
}

/// `SortOrderType`. Which is AWS's default is not stated; recordings without one are in order of creation.
enum SortOrder: String, CaseIterable, Sendable {
    case ascending = "asc"
    case descending = "desc"
}

/// ListSecrets (behaviour 3.4).
enum ListSecrets: Operation {
    static let name = "ListSecrets"

    /// Secrets of one page, if the caller names no number. AWS's is not known; the most that may be named.
    static let pageDefault: Int64 = 100

    struct Input: InputStructure {
        let includesPlannedDeletion: Bool
        let maxResults: Int64
        let nextToken: String?
        let filters: [Filter]
        let sortBy: SortBy
        let sortOrder: SortOrder

        init(reading members: inout Members) {
            includesPlannedDeletion = members.flag("IncludePlannedDeletion")
            maxResults = members.optional("MaxResults", Shapes.maxResults) ?? pageDefault
            nextToken = members.optional("NextToken", Shapes.nextToken)
            filters = members.optional("Filters", Shapes.filters) ?? []
            sortOrder = members.optional("SortOrder", Shapes.sortOrder).flatMap { SortOrder(rawValue: $0) } ?? .ascending
            sortBy = members.optional("SortBy", Shapes.sortBy).flatMap { SortBy(rawValue: $0) } ?? .createdDate
        }

        /// Everything that a page token is bound to.
        var tokenParameters: [String] {
            [includesPlannedDeletion ? "planned" : "live", sortBy.rawValue, sortOrder.rawValue] + filters.flatMap(\.tokenParameters)
        }
    }

    struct Output: OutputStructure {
        let secrets: [SecretDescription]
        let nextToken: String?

        func write(to json: inout JSONWriter) {
            json.name("SecretList")
            json.beginArray()
            for secret in secrets {
                json.beginObject()
                secret.write(to: &json)
                json.endObject()
            }
            json.endArray()
            if let nextToken { json.member("NextToken", nextToken) }
        }

        var capacityHint: Int { 256 + secrets.count * 512 }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        var query = ListQuery(account: call.account)
        query.order = input.sortBy.order
        query.isDescending = input.sortOrder == .descending
        query.includesScheduled = input.includesPlannedDeletion
        query.limit = Int(input.maxResults)
        let filters = try FilterSet(input.filters)
        return try call.list(query, filters, token: input.nextToken, call.pageScope(input.tokenParameters)).map { page in
            Output(
                secrets: page.records.map { SecretDescription($0, call, versionsMember: "SecretVersionsToStages") },
                nextToken: page.nextToken)
        }
    }
}
