internal import Keyring
internal import NIOCore
internal import OpenSSL
internal import SecretStore
internal import Synchronization

/// How values that were read are read again: for questions that were asked before, where the value lies, its unwrapped data key, and the
/// answer's text around the value. Holds no plaintext of a value.
///
/// A plan is right as long as the secret's record has the revision under which it was made, which each use checks; authentication and the
/// read barrier are never skipped. A data key stays for at most two ages after its last use, about a minute, or until 2,048 newer plans
/// come, and is zeroed then: ``age()``.
///
/// Safe from any thread.
package final class ReadPlans: Sendable {
    /// Plans in each of the two generations; a plan is about 2 KiB.
    static let plansPerGenerationMax = 2_048
    /// Longest body that is remembered, in bytes: a name or ARN, with a version.
    static let bodyByteCountMax = 1_024
    /// Calls of ``age()`` that make a generation old.
    static let ticksPerAge = 30

    private struct Generations {
        var young: [Int: ReadPlan] = [:]
        var old: [Int: ReadPlan] = [:]
        var ticks = 0

        mutating func turn() {
            old = young
            young.removeAll()
            ticks = 0
        }
    }

    private let generations = Mutex(Generations())

    package init() {}

    /// The plan for a body that `account` sent before.
    func find(_ body: RawSpan, account: String) -> ReadPlan? {
        let key = Self.key(body, account)
        let plan: ReadPlan? = generations.withLock {
            if let plan = $0.young[key] { return plan }
            guard let plan = $0.old.removeValue(forKey: key) else { return nil }
            Self.insert(plan, key, &$0)
            return plan
        }
        // Two questions can have one hash.
        guard let plan, plan.question.isEqual(to: body, account: account) else { return nil }
        return plan
    }

    func remember(_ plan: ReadPlan) {
        let key = plan.question.withBody { Self.key($0, plan.question.account) }
        generations.withLock { Self.insert(plan, key, &$0) }
    }

    /// Call it about once a second: what nobody used for two ages is forgotten.
    package func age() {
        generations.withLock {
            $0.ticks += 1
            if $0.ticks >= Self.ticksPerAge { $0.turn() }
        }
    }

    private static func insert(_ plan: ReadPlan, _ key: Int, _ generations: inout Generations) {
        if generations.young.count >= plansPerGenerationMax { generations.turn() }
        generations.young[key] = plan
    }

    private static func key(_ body: RawSpan, _ account: String) -> Int {
        var hasher = Hasher()
        body.withUnsafeBytes { hasher.combine(bytes: $0) }
        hasher.combine(account)
        return hasher.finalize()
    }
}

/// A body of GetSecretValue, byte by byte, and the account that sent it.
struct Question: Sendable {
    let account: String
    private let body: [UInt8]

    init(account: String, body: RawSpan) {
        self.account = account
        self.body = body.withUnsafeBytes { [UInt8]($0) }
    }

    func withBody<Result>(_ use: (RawSpan) -> Result) -> Result { use(body.span.bytes) }

    func isEqual(to other: RawSpan, account: String) -> Bool {
        self.account == account && other.withUnsafeBytes { other in body.withUnsafeBytes { $0.isEqual(to: other) } }
    }
}

/// Everything about an answer of GetSecretValue but the value.
final class ReadPlan: Sendable {
    let question: Question
    private let secret: SecretKey
    private let location: ValueLocation
    private let opener: ValueOpener
    private let kind: ValueKind
    /// Whether the value is a text that JSON shows as it is.
    private let isPlain: Bool
    /// The answer's JSON before and after the value.
    private let head: [UInt8]
    private let tail: [UInt8]
    /// The last day whose read is stored.
    private let accessedOn: UTCDay

    /// - Parameter output: The answer to `question`. Its value is not kept.
    /// - Returns: nil while the day of the last read is still on its way into the store.
    init?(_ question: Question, _ stored: StoredValue, _ output: SecretValueOutput, _ keyring: Keyring) {
        guard let secretDay = stored.secretLastAccessedDay, let versionDay = stored.versionLastAccessedDay,
            let opener = try? keyring.opener(wrappedDataKey: stored.value.wrappedDataKey.span.bytes, for: stored.context)
        else { return nil }
        self.question = question
        self.opener = opener
        secret = SecretKey(account: stored.arn.account, name: stored.arn.name)
        location = stored.location
        kind = output.kind
        isPlain = output.value.withUnsafeBytes { !JSONEscape.isNeeded(in: $0) }
        accessedOn = min(secretDay, versionDay)
        head = Self.text(isContinued: false) {
            $0.beginObject()
            output.writeHead(to: &$0)
        }
        tail = Self.text(isContinued: true) {
            output.writeTail(to: &$0)
            $0.endObject()
        }
    }

    private static func text(isContinued: Bool, _ write: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(isContinued: isContinued)
        write(&json)
        return [UInt8](json.finish().readableBytesView)
    }

    /// The answer, if it can be given at once and nothing has changed since the plan was made. Anything else, a failure too, is for
    /// the long way to find and to report.
    func answer(at now: Timestamp, _ services: Services) -> ByteBuffer? {
        guard accessedOn >= now.day, services.log.isReadableNow, services.applier.isVisible(secret) else { return nil }
        return try? services.store.withCiphertext(at: location) { ciphertext in
            let count = ValueOpener.byteCountMax(of: ciphertext)
            var json = JSONWriter(capacity: head.count + tail.count + (kind == .string ? count : Base64.encodedCount(count)) + 2)
            json.raw(head)
            switch kind {
            case .string: try json.string(ofAtMost: count, isPlain: isPlain) { try opener.open(ciphertext, into: $0) }
            case .binary: try json.base64(ofAtMost: count) { try opener.open(ciphertext, into: $0) }
            }
            json.raw(tail)
            return json.finish()
        }
    }
}
