internal import Access
internal import SecretStore

/// Lists in pages, for ListSecrets and BatchGetSecretValue.
extension Call {
    /// What a token of this call is good for.
    ///
    /// - Parameter parameters: The members of the request that decide what is listed.
    func pageScope(_ parameters: [String]) -> PageTokens.Scope {
        PageTokens.Scope(operation: operation, principal: principal.arn, parameters: parameters)
    }

    /// A page of records and the token of the next one.
    struct Page: Sendable {
        let records: [SecretRecord]
        /// `nil` on the last page. There may be a token behind an empty page: only so many records are looked at per call.
        let nextToken: String?
    }

    func list(_ query: ListQuery, _ filters: FilterSet, token: String?, _ scope: PageTokens.Scope) throws(APIError) -> Reply<Page> {
        var query = query
        if let token {
            guard let cursor = ListCursor(try services.pageTokens.cursor(in: token, scope, now: now)) else { throw .invalidNextToken }
            query.cursor = cursor
        }
        return try read(nil) { [query] _ throws(APIError) in
            var page = try services.query { store in
                try store.list(query) { record in
                    filters.matches(name: record.name.rawValue, description: record.description, tags: record.tags ?? [])
                }
            }
            for index in page.records.indices { services.accessRecorder.complete(&page.records[index]) }
            return Page(
                records: page.records, nextToken: page.next.map { services.pageTokens.token(cursor: $0.bytes, scope, now: now) })
        }
    }
}

extension Filter {
    /// What a page token is bound to: with the number of values before them, no two filters give the same list.
    var tokenParameters: [String] { [key ?? "", String(values?.count ?? -1)] + (values ?? []) }
}
