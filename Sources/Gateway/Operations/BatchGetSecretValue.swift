internal import NIOCore
internal import SecretStore

/// BatchGetSecretValue (behaviour 3.3).
enum BatchGetSecretValue: Operation {
    static let name = "BatchGetSecretValue"

    /// Secrets of one page of the form with Filters, if the caller names no number: the most that may be named.
    static let pageDefault: Int64 = 20

    struct Input: InputStructure {
        let secretIDs: [String]?
        let filters: [Filter]?
        let maxResults: Int64?
        let nextToken: String?

        init(reading members: inout Members) {
            secretIDs = members.optional("SecretIdList", Shapes.secretIDList)
            filters = members.optional("Filters", Shapes.filters)
            maxResults = members.optional("MaxResults", Shapes.maxResultsBatch)
            nextToken = members.optional("NextToken", Shapes.nextToken)
        }
    }

    struct Output: OutputStructure {
        /// In the order of the request, or of the list.
        let values: [SecretValueOutput]
        let errors: [Failure]
        let nextToken: String?

        func write(to json: inout JSONWriter) {
            json.name("SecretValues")
            json.beginArray()
            for value in values {
                json.beginObject()
                value.write(to: &json)
                json.endObject()
            }
            json.endArray()
            json.name("Errors")
            json.beginArray()
            for failure in errors {
                json.beginObject()
                json.member("SecretId", failure.secretID)
                json.member("ErrorCode", failure.error.code.wire.type)
                if let message = failure.error.message { json.member("Message", message) }
                json.endObject()
            }
            json.endArray()
            if let nextToken { json.member("NextToken", nextToken) }
        }

        var capacityHint: Int { values.reduce(256) { $0 + $1.capacityHint } }
    }

    /// Why one of the secrets has no value in the answer. It does not fail the call.
    struct Failure: Sendable {
        /// As the caller gave it.
        let secretID: String
        let error: APIError
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        switch (input.secretIDs, input.filters) {
        case (let ids?, nil):
            guard input.maxResults == nil else {
                throw APIError(
                    .invalidParameter, "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
            }
            // A list has one page, so no token belongs to it.
            guard input.nextToken == nil else { throw .invalidNextToken }
            return try values(of: ids, nextToken: nil, call)
        case (nil, let filters?):
            return try page(filters, input, call).flatMap { page throws(APIError) in
                try values(of: page.ids, nextToken: page.nextToken, call)
            }
        // Open question 21: the text for neither is taken to be the same.
        case (nil, nil), (_?, _?):
            throw APIError(.invalidParameter, "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
        }
    }

    /// The secrets that the filters select, by ARN: names are taken again, ARNs are not.
    private static func page(
        _ filters: [Filter], _ input: Input, _ call: Call
    ) throws(APIError) -> Reply<(ids: [String], nextToken: String?)> {
        var query = ListQuery(account: call.account)
        query.limit = Int(input.maxResults ?? pageDefault)
        let scope = call.pageScope(filters.flatMap(\.tokenParameters))
        return try call.list(query, try FilterSet(filters), token: input.nextToken, scope).map { page in
            (page.records.map { call.services.store.arn(of: $0).description }, page.nextToken)
        }
    }

    /// Reads one value after the other. All of it happens at once unless a write is on its way to one of the secrets.
    private static func values(of ids: [String], nextToken: String?, _ call: Call) throws(APIError) -> Reply<Output> {
        var reply = Reply<[Item]>.now([])
        for id in ids {
            reply = try reply.flatMap { items throws(APIError) in try item(id, call).map { item in items + [item] } }
        }
        return try reply.map { items in
            Output(values: items.compactMap(\.value), errors: items.compactMap(\.failure), nextToken: nextToken)
        }
    }

    private enum Item: Sendable {
        case value(SecretValueOutput)
        case failure(Failure)

        var value: SecretValueOutput? { if case .value(let value) = self { value } else { nil } }
        var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
    }

    private static func item(_ id: String, _ call: Call) throws(APIError) -> Reply<Item> {
        let reply: Reply<SecretValueOutput>
        do throws(APIError) {
            // What is denied is the action of reading, whatever the call that asks for it (behaviour section 6).
            reply = try call.value(of: try call.target(id, for: GetSecretValue.name), VersionSelector())
        } catch {
            return .now(.failure(Failure(secretID: id, error: error)))
        }
        switch reply {
        case .now(let value): return .now(.value(value))
        case .later(let future):
            return .later(
                future.map { .value($0) }.flatMapErrorThrowing { error in
                    .failure(Failure(secretID: id, error: error as? APIError ?? .internalFailure))
                })
        }
    }
}
