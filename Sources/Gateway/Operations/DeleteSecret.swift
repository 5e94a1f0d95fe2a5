internal import SecretStore

/// DeleteSecret (behaviour 3.10).
enum DeleteSecret: Operation {
    static let name = "DeleteSecret"

    /// Days in which a secret can be restored, if the caller names none.
    static let windowDaysDefault: UInt8 = 30
    /// What the caller may name.
    static let windowDays: ClosedRange<Int64> = 7...30

    struct Input: InputStructure {
        let secretID: String
        let windowDays: Int64?
        let isForced: Bool

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            windowDays = members.optional("RecoveryWindowInDays", Shapes.recoveryWindowInDays)
            isForced = members.flag("ForceDeleteWithoutRecovery")
        }
    }

    struct Output: OutputStructure {
        let secret: SecretOutput
        let deletionDate: Timestamp

        func write(to json: inout JSONWriter) {
            secret.write(to: &json)
            json.member("DeletionDate", deletionDate)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        let target = try call.target(input.secretID)
        let mode = try mode(input)
        guard !input.isForced else { return try force(target, call, attempts: attemptsMax) }
        return try call.change(target) { secret in .deleteSecret(secret, mode) }.map { outcome throws(APIError) in try output(outcome) }
    }

    /// How often a forced deletion looks again after another call deleted the secret that it had found.
    private static let attemptsMax = 3

    /// Succeeds also when another deletion comes first: afterwards the secret is not there, which is all that was asked for.
    private static func force(_ target: SecretTarget, _ call: Call, attempts: Int) throws(APIError) -> Reply<Output> {
        try call.find(target).flatMap { record throws(APIError) in
            guard let record, attempts > 0 else { return .now(try pretend(target, call)) }
            return try call.propose(.deleteSecret(record.reference, .immediately)).flatMap { outcome throws(APIError) in
                // Perhaps another secret has the name since.
                if case .failed(.secretNotFound) = outcome { return try force(target, call, attempts: attempts - 1) }
                return .now(try output(outcome))
            }
        }
    }

    private static func output(_ outcome: Outcome) throws(APIError) -> Output {
        switch outcome {
        case .deletion(let arn, let date): return Output(secret: SecretOutput(arn), deletionDate: date)
        case .failed(let failure): throw APIError(failure)
        case .secret, .version, .done, .node: throw .internalFailure
        }
    }

    private static func mode(_ input: Input) throws(APIError) -> DeletionMode {
        if input.isForced {
            guard input.windowDays == nil else {
                throw APIError(.invalidParameter, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
            }
            return .immediately
        }
        guard let days = input.windowDays else { return .afterWindow(days: windowDaysDefault) }
        guard windowDays.contains(days) else {
            throw APIError(.invalidParameter, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
        }
        return .afterWindow(days: UInt8(days))
    }

    /// A forced deletion of a secret that is not there succeeds as if it had been (recorded from AWS). The ARN that AWS gives is not
    /// known (open question 14): one with a new suffix.
    private static func pretend(_ target: SecretTarget, _ call: Call) throws(APIError) -> Output {
        guard case .here(let name, let suffix) = target else { throw .secretNotFound }
        let arn = call.services.scope.arn(account: call.account, SecretReference(name: name, suffix: suffix ?? .random()))
        return Output(secret: SecretOutput(arn), deletionDate: call.now)
    }
}

/// RestoreSecret (behaviour 3.11). On a secret that is not scheduled it changes nothing (open question 13).
enum RestoreSecret: Operation {
    static let name = "RestoreSecret"

    static func run(_ input: SecretIDInput, _ call: Call) throws(APIError) -> Reply<SecretOutput> {
        let target = try call.target(input.secretID)
        return try call.change(target) { secret in .restoreSecret(secret) }.map { outcome throws(APIError) in try SecretOutput(outcome) }
    }
}

/// The input of operations that take a secret and nothing else.
struct SecretIDInput: InputStructure {
    let secretID: String

    init(reading members: inout Members) {
        secretID = members.required("SecretId", Shapes.secretID)
    }
}
