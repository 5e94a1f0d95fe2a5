internal import NIOCore
internal import SecretStore

/// One operation of the API, described once: name, input, rules and output. To add one, write a type that conforms and name it in
/// ``OperationTable/all``.
protocol Operation: SendableMetatype {
    associatedtype Input: InputStructure
    associatedtype Output: OutputStructure

    /// As in `X-Amz-Target: secretsmanager.<name>`.
    static var name: String { get }

    /// Carries the operation out. The input keeps every constraint of its shapes; the operation checks the rules that the model does
    /// not carry, in the order of behaviour section 4: name form, token, existence, state, meaning.
    ///
    /// Runs on the event loop of `call` and must not block.
    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output>

    /// Whether ``recall(_:account:at:_:)`` may know an answer, and calls carry their ``Call/question``.
    static var isRemembered: Bool { get }

    /// The answer to a body that was answered before, if it can be given at once and is still right. The body has not been parsed; the
    /// caller is known. nil says nothing: the call goes the usual way.
    static func recall(_ body: RawSpan, account: String, at now: Timestamp, _ services: Services) -> ByteBuffer?
}

extension Operation {
    static var isRemembered: Bool { false }
    static func recall(_ body: RawSpan, account: String, at now: Timestamp, _ services: Services) -> ByteBuffer? { nil }
}

/// What an operation answers.
protocol OutputStructure: Sendable {
    /// Writes the members that have a value. Absent members are left out, never `null` (behaviour 1.2).
    func write(to json: inout JSONWriter)
    /// About how long the JSON is, in bytes: saves growing the buffer.
    var capacityHint: Int { get }
}

extension OutputStructure {
    var capacityHint: Int { 512 }
}

/// The answer of TagResource and UntagResource, which have no output shape in the model.
struct NoOutput: OutputStructure {
    func write(to json: inout JSONWriter) {}
}

/// An answer that is known now or later.
enum Reply<Value: Sendable>: Sendable {
    case now(Value)
    /// On the event loop of the call. Fails only with an ``APIError``.
    case later(EventLoopFuture<Value>)

    /// Goes on with the value, now or when it is there.
    func map<Next: Sendable>(_ transform: @escaping @Sendable (Value) throws(APIError) -> Next) throws(APIError) -> Reply<Next> {
        switch self {
        case .now(let value): .now(try transform(value))
        case .later(let future): .later(future.flatMapThrowing { try transform($0) })
        }
    }

    /// Goes on with the value, to something that may itself take time.
    func flatMap<Next: Sendable>(_ transform: @escaping @Sendable (Value) throws(APIError) -> Reply<Next>) throws(APIError) -> Reply<Next> {
        switch self {
        case .now(let value):
            return try transform(value)
        case .later(let future):
            let eventLoop = future.eventLoop
            return .later(
                future.flatMap { value in
                    do throws(APIError) {
                        switch try transform(value) {
                        case .now(let next): return eventLoop.makeSucceededFuture(next)
                        case .later(let next): return next
                        }
                    } catch {
                        return eventLoop.makeFailedFuture(error)
                    }
                })
        }
    }
}

extension Operation {
    /// Everything between parsed JSON and the bytes of the answer: shape checks, the operation, encoding.
    static func handle(_ body: JSONValue, _ call: Call) throws(APIError) -> Reply<ByteBuffer> {
        var members = Members(body)
        let input = Input(reading: &members)
        if let error = members.problems.error { throw error }
        return try run(input, call).map { output in encode(output) }
    }

    static func encode(_ output: Output) -> ByteBuffer {
        var json = JSONWriter(capacity: output.capacityHint)
        json.beginObject()
        output.write(to: &json)
        json.endObject()
        return json.finish()
    }
}
