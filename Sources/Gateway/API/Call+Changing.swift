internal import Keyring
internal import NIOCore
internal import SecretStore

/// Writes: resolve, build the command, propose, and look at what `apply` decided.
extension Call {
    /// How often a command is built anew when its secret was deleted and made again while it was on its way.
    private static let attemptsMax = 3

    /// Proposes a command on the secret at `target`.
    ///
    /// - Parameter command: Builds it for the secret as it is now: name and ARN suffix. Called again if the secret has been replaced by
    ///   another of its name in the meantime, for which nothing in the first command (an encrypted value, say) is good.
    func change(
        _ target: SecretTarget, _ command: @escaping @Sendable (SecretReference) -> Command
    ) throws(APIError) -> Reply<Outcome> {
        try attempt(target, after: nil, remaining: Self.attemptsMax, command)
    }

    private func attempt(
        _ target: SecretTarget, after previous: SecretReference?, remaining: Int,
        _ command: @escaping @Sendable (SecretReference) -> Command
    ) throws(APIError) -> Reply<Outcome> {
        try require(target).flatMap { record throws(APIError) in
            let secret = record.reference
            guard secret != previous else { throw .secretNotFound }
            return try propose(command(secret)).flatMap { outcome throws(APIError) in
                guard case .failed(.secretNotFound) = outcome, remaining > 1 else { return .now(outcome) }
                return try attempt(target, after: secret, remaining: remaining - 1, command)
            }
        }
    }

    /// Proposes a command. The outcome comes when it is durable and applied.
    func propose(_ command: Command) -> Reply<Outcome> {
        let mutation = Mutation(account: account, at: now, keyTerm: services.keyring.currentTerm, command: command)
        let promise = eventLoop.makePromise(of: Outcome.self)
        services.log.propose(mutation) { result in
            switch result {
            case .success(let outcome): promise.succeed(outcome)
            case .failure(let failure): promise.fail(APIError(failure))
            }
        }
        return .later(promise.futureResult)
    }
}
