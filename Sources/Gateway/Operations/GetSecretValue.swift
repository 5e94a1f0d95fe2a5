internal import Keyring
internal import Logging
internal import NIOCore
internal import OpenSSL
internal import SecretStore

/// GetSecretValue (behaviour 3.2): the hot path.
enum GetSecretValue: Operation {
    static let name = "GetSecretValue"

    struct Input: InputStructure {
        let secretID: String
        let versionID: String?
        let versionStage: String?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            versionID = members.optional("VersionId", Shapes.versionID)
            versionStage = members.optional("VersionStage", Shapes.versionStage)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<SecretValueOutput> {
        let selector = VersionSelector(id: input.versionID.map { VersionID($0) }, label: input.versionStage.map { StagingLabel($0) })
        return try call.value(of: try call.target(input.secretID), selector)
    }

    static let isRemembered = true

    static func recall(_ body: RawSpan, account: String, at now: Timestamp, _ services: Services) -> ByteBuffer? {
        services.readPlans.find(body, account: account)?.answer(at: now, services)
    }
}

/// A value with its version: the answer of GetSecretValue, and an entry of BatchGetSecretValue's.
struct SecretValueOutput: OutputStructure {
    let arn: String
    let name: String
    let versionID: String
    let kind: ValueKind
    let value: SecretBytes
    /// Sorted; empty for a version without labels, whose VersionStages are absent.
    let labels: [StagingLabel]
    /// Of the version, not of the secret.
    let createdAt: Timestamp

    func write(to json: inout JSONWriter) {
        writeHead(to: &json)
        switch kind {
        case .string: json.string(value)
        case .binary: json.base64(value)
        }
        writeTail(to: &json)
    }

    /// What stands before the value.
    func writeHead(to json: inout JSONWriter) {
        json.member("ARN", arn)
        json.member("Name", name)
        json.member("VersionId", versionID)
        json.name(kind == .string ? "SecretString" : "SecretBinary")
    }

    /// What stands behind the value.
    func writeTail(to json: inout JSONWriter) {
        if !labels.isEmpty { json.member("VersionStages", texts: labels) }
        json.member("CreatedDate", createdAt)
    }

    /// Room for the value as base64, and for a text in which one character in three needs an escape; more makes the buffer grow once.
    var capacityHint: Int { 512 + arn.utf8.count + name.utf8.count + value.count / 3 * 4 }
}

extension Call {
    /// Reads and decrypts a value, and leaves the day of the access. This is where plaintext comes into being: it goes into the answer's
    /// buffer and nowhere else.
    func value(of target: SecretTarget, _ selector: VersionSelector) throws(APIError) -> Reply<SecretValueOutput> {
        guard let address = address(of: target) else { throw .secretNotFound }
        let call = self
        return try read(address.key) { _ throws(APIError) in
            let found = try call.services.query { store in try store.value(at: address, selector) }
            switch found {
            case .success(let stored): return try call.decrypt(stored)
            case .failure(let failure): throw APIError(failure)
            }
        }
    }

    private func decrypt(_ stored: StoredValue) throws(APIError) -> SecretValueOutput {
        let context = stored.context
        let value: SecretBytes
        do throws(KeyringError) {
            value = try services.keyring.decrypt(stored.value, for: context)
        } catch {
            services.logger.error("a stored value does not decrypt", metadata: ["error": "\(error)"])
            throw .cannotDecrypt
        }
        services.accessRecorder.record(stored, at: now)
        let output = SecretValueOutput(
            arn: context.arn, name: stored.arn.name.rawValue, versionID: stored.versionID.rawValue, kind: stored.kind, value: value,
            labels: stored.labels, createdAt: stored.createdAt)
        if let question, let plan = ReadPlan(question, stored, output, services.keyring) { services.readPlans.remember(plan) }
        return output
    }
}
