internal import Keyring
internal import OpenSSL
internal import SecretStore

/// The value members of CreateSecret, PutSecretValue and UpdateSecret.
struct SecretValueInput: Sendable {
    let string: SecretBytes?
    let binary: SecretBytes?

    init(reading members: inout Members) {
        string = members.optional("SecretString", Shapes.secretString)
        binary = members.optional("SecretBinary", Shapes.secretBinary)
    }

    /// The one value that is given, if any.
    ///
    /// - Throws: InvalidParameterException when both are.
    func value() throws(APIError) -> (kind: ValueKind, bytes: SecretBytes)? {
        switch (string, binary) {
        case (nil, nil): nil
        case (let text?, nil): (.string, text)
        case (nil, let bytes?): (.binary, bytes)
        case (_?, _?): throw .bothValues
        }
    }
}

/// `ClientRequestToken`, which becomes the id of the version that the call makes (behaviour 2.6).
///
/// Open question 5, whether a call without a value needs it: AWS's documentation says that raw requests must send it, without exception,
/// and SDKs always do. So it is always demanded.
func requireToken(_ token: String?, orElse code: APIError.Code = .invalidRequest) throws(APIError) -> VersionID {
    guard let token else { throw .missingToken(code) }
    return VersionID(token)
}

extension Call {
    /// Encrypts a value for a secret. This is where plaintext ends: what comes out may be logged, replicated and stored.
    func newVersion(
        _ id: VersionID, _ value: (kind: ValueKind, bytes: SecretBytes), of secret: SecretReference
    ) -> NewVersion {
        let arn = services.scope.arn(account: account, secret).description
        let context = ValueContext(
            arn: arn, versionID: id.rawValue, kind: value.kind, createdAtMilliseconds: now.millisecondsSince1970)
        return NewVersion(
            id: id, kind: value.kind, value: services.keyring.encrypt(value.bytes, for: context),
            fingerprint: services.keyring.fingerprint(
                value.bytes, account: account.description, name: secret.name.rawValue, versionID: id.rawValue, kind: value.kind))
    }
}
