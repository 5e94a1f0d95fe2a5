internal import Keyring
internal import OpenSSL
internal import SecretStore

/// Makes and checks `NextToken`s: text that nobody can read anything out of by contract, and nobody can change.
///
/// A token carries where to go on, and an authenticator over that, the operation, the caller, the rest of the request, and the time. So a
/// token that was edited, or that belongs to another caller, another operation or other filters, or is a day old, is refused (threat
/// model N41). The key is the cluster's: any node takes any node's tokens.
///
/// Sendable: immutable.
struct PageTokens: Sendable {
    /// How long a token can be used, in milliseconds. AWS says nothing; a list that is paged through for longer is started anew.
    static let lifetimeMilliseconds: Int64 = 24 * 60 * 60 * 1000

    /// First byte of a token; another form gets another one.
    private static let format: UInt8 = 1
    private static let headerByteCount = 1 + 8

    private let key: HMACKey

    /// Derives the key from the keyring's fingerprint key: an HMAC whose message names no account, which no fingerprint's does.
    init(keyring: Keyring) {
        let purpose = SecretBytes(copying: "NextToken".utf8.span.bytes)
        let derived = keyring.fingerprint(purpose, account: "", name: "", versionID: "conclave/next-token/1", kind: .binary)
        key = HMACKey(SecretBytes(copying: derived.bytes.span.bytes))
    }

    /// What a token is good for.
    struct Scope {
        let operation: String
        /// ARN of the caller.
        let principal: String
        /// Every member of the request that decides what is listed, in one order. MaxResults is not among them: it may change from page to
        /// page.
        let parameters: [String]
    }

    /// The token for a page that begins behind `cursor`.
    func token(cursor: [UInt8], _ scope: Scope, now: Timestamp) -> String {
        var bytes = [Self.format]
        withUnsafeBytes(of: now.millisecondsSince1970.bigEndian) { bytes.append(contentsOf: $0) }
        bytes += cursor
        authenticator(bytes, scope).append(to: &bytes)
        return Self.base64(bytes)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let count = Base64.encodedCount(bytes.count)
        return String(unsafeUninitializedCapacity: count) { text in
            let output = UnsafeMutableRawBufferPointer(text)
            bytes.withUnsafeBytes { Base64.encode($0, into: UnsafeMutableRawBufferPointer(rebasing: output[..<count])) }
            return count
        }
    }

    /// The cursor in a token.
    ///
    /// - Throws: InvalidNextTokenException, without saying what is wrong with it.
    func cursor(in token: String, _ scope: Scope, now: Timestamp) throws(APIError) -> [UInt8] {
        guard let decoded = Base64.decode(token.utf8.span.bytes) else { throw .invalidNextToken }
        let bytes = decoded.withUnsafeBytes { [UInt8]($0) }
        guard bytes.count >= Self.headerByteCount + Digest.byteCount, bytes[0] == Self.format else { throw .invalidNextToken }
        let payload = Array(bytes.dropLast(Digest.byteCount))
        let sent = Digest(bytes32: bytes.span.bytes.extracting(payload.count..<bytes.count))
        guard authenticator(payload, scope).isEqualInConstantTime(to: sent) else { throw .invalidNextToken }
        let issued = payload[1..<Self.headerByteCount].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        // A token from the future was made by a node whose clock is ahead: as good as one from now.
        guard now.millisecondsSince1970 - issued <= Self.lifetimeMilliseconds else { throw .invalidNextToken }
        return Array(payload.dropFirst(Self.headerByteCount))
    }

    private func authenticator(_ payload: [UInt8], _ scope: Scope) -> Digest {
        var message: [UInt8] = []
        // Length before content, so that no two scopes make the same bytes.
        func append(_ bytes: some Collection<UInt8>) {
            withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { message.append(contentsOf: $0) }
            message.append(contentsOf: bytes)
        }
        append(scope.operation.utf8)
        append(scope.principal.utf8)
        for parameter in scope.parameters { append(parameter.utf8) }
        append(payload)
        return key.authenticate(message.span.bytes)
    }
}
