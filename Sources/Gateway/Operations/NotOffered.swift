internal import SecretStore

extension APIError {
    /// For what later versions bring: the input has been checked as if it were there.
    static func notOffered(_ what: String) -> APIError {
        APIError(.invalidRequest, "This server does not offer \(what) yet.")
    }
}

/// An operation that is checked and then refused: it belongs to a part of the system that is not built yet.
protocol OperationNotOffered: Operation where Output == NoOutput {
    /// The secret that the call is about.
    static func secretID(_ input: Input) -> String
    /// The rules that AWS checks before it looks the secret up.
    static func checkBeforeLookup(_ input: Input, _ call: Call) throws(APIError)
    /// The rules that AWS checks once the secret is there and not scheduled for deletion.
    static func checkAfterLookup(_ input: Input, _ call: Call) throws(APIError)
}

extension OperationNotOffered {
    static func checkBeforeLookup(_ input: Input, _ call: Call) throws(APIError) {}
    static func checkAfterLookup(_ input: Input, _ call: Call) throws(APIError) {}

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<NoOutput> {
        let target = try call.target(secretID(input))
        try checkBeforeLookup(input, call)
        return try call.require(target).map { secret throws(APIError) in
            guard secret.deletion == nil else { throw .markedForDeletion }
            try checkAfterLookup(input, call)
            throw .notOffered(name)
        }
    }
}
