package import Access
package import Logging
package import NIOCore
internal import SecretStore

/// The Secrets Manager API behind the HTTP front: AWS JSON 1.1, signed with SigV4.
///
/// The order of checks is that of sigv4.md section 4 with its deviation (a): what costs nothing comes first (method, content type, target,
/// a look at the body's first and last byte), then the signature on the bytes as received, and only for callers who are known the JSON,
/// the shapes and the operation.
///
/// Safe from any event loop.
package final class SecretsManagerResponder: Responder {
    private let verifier: RequestVerifier
    private let services: Services
    private let logger: Logger
    private let counters: RequestCounters

    /// - Parameters:
    ///   - verifier: Made for service `secretsmanager` and the region of `services`.
    ///   - counters: Count every request.
    ///   - logger: Gets one line per request, at debug level.
    package init(verifier: RequestVerifier, services: Services, counters: RequestCounters = RequestCounters(), logger: Logger) {
        self.counters = counters
        self.verifier = verifier
        self.services = services
        self.logger = logger
    }

    /// Answers one request. Reads are answered at once unless a write to their secret is on its way; writes when they are durable.
    package func respond(to request: borrowing HTTPRequest, on eventLoop: any EventLoop) -> Answer {
        let started = NIODeadline.now()
        let operation: any Operation.Type
        switch Self.route(request) {
        case .refused(let response, let reason):
            log(request.id, operation: "-", status: response.status, error: reason, since: started)
            return .now(response)
        case .operation(let type):
            operation = type
        }
        let now = services.now()
        let principal: Principal
        do throws(AuthenticationFailure) {
            principal = try request.withBytes { bytes throws(AuthenticationFailure) in
                try verifier.verify(request.layout, in: bytes, now: now.millisecondsSince1970)
            }
        } catch {
            let response = ErrorBody.response(for: error)
            log(request.id, operation: operation.name, status: response.status, error: error.type, since: started)
            return .now(response)
        }
        if operation.isRemembered,
            let body = request.withBody({ operation.recall($0, account: principal.account, at: now, services) })
        {
            log(request.id, operation: operation.name, status: 200, error: nil, since: started)
            return .now(HTTPResponse(status: 200, body: body))
        }
        guard let account = AccountID(principal.account) else { preconditionFailure("access keys belong to accounts of twelve digits") }
        var call = Call(
            principal: principal, account: account, operation: operation.name, now: now, eventLoop: eventLoop, services: services)
        if operation.isRemembered, request.bodyByteCount <= ReadPlans.bodyByteCountMax {
            call.question = request.withBody { Question(account: principal.account, body: $0) }
        }
        return answer(operation, request, call, started)
    }

    private func answer(
        _ operation: any Operation.Type, _ request: borrowing HTTPRequest, _ call: Call, _ started: NIODeadline
    ) -> Answer {
        let id = request.id
        do throws(APIError) {
            let body = try request.withBody { bytes throws(APIError) in try Self.parse(bytes) }
            switch try operation.handle(body, call) {
            case .now(let body):
                log(id, operation: operation.name, status: 200, error: nil, since: started)
                return .now(HTTPResponse(status: 200, body: body))
            case .later(let future):
                let name = operation.name
                return .later(
                    future.map { [self] body in
                        log(id, operation: name, status: 200, error: nil, since: started)
                        return HTTPResponse(status: 200, body: body)
                    }.flatMapErrorThrowing { [self] error in refusal(of: error, id, name, started) })
            }
        } catch {
            return .now(refusal(of: error, id, operation.name, started))
        }
    }

    private func refusal(of error: any Error, _ id: RequestID, _ operation: String, _ started: NIODeadline) -> HTTPResponse {
        let refusal = error as? APIError ?? .internalFailure
        let response = ErrorBody.response(for: refusal)
        log(id, operation: operation, status: response.status, error: refusal.code.wire.type, since: started)
        return response
    }

    private static func parse(_ bytes: RawSpan) throws(APIError) -> JSONValue {
        do throws(JSONError) {
            return try JSONReader.read(bytes, secretMembers: Shapes.secretMembers)
        } catch {
            // Not what stood there: it may be a secret.
            throw APIError(.serialization, nil)
        }
    }

    /// One constant sentence; everything in it is of this server's making, so that no caller writes into the log.
    private func log(_ id: RequestID, operation: String, status: UInt16, error: String?, since started: NIODeadline) {
        counters.count(operation, status: status, error: error)
        guard logger.logLevel <= .debug else { return }
        var metadata: Logger.Metadata = [
            "request.id": "\(id)", "operation": "\(operation)", "status": "\(status)",
            "duration.us": "\((NIODeadline.now() - started).nanoseconds / 1000)",
        ]
        if let error { metadata["error"] = "\(error)" }
        logger.debug("request answered", metadata: metadata)
    }
}
