internal import NIOCore

/// The way of time. One timer per connection, set anew only when a deadline comes nearer; a deadline that moved away costs nothing until
/// the timer fires and sees it.
extension HTTPConnectionHandler {
    /// What the connection waits for from its peer. A new wait, also one of the same kind for the next request, begins its time anew.
    enum Wait: Equatable {
        case nothing
        case firstRequest
        case nextRequest(UInt64)
        case head(UInt64)
        case body(UInt64)
        case close
    }

    private var currentWait: Wait {
        switch phase {
        case .lastAnswers, .flushing, .closed: return .nothing
        case .lingering: return .close
        case .open: break
        }
        // While we do not read, the peer is not late. Peers that do not take answers have their own deadline.
        guard !isHandshaking, hasRoom else { return .nothing }
        if input.isEmpty {
            guard slots.isEmpty, outstandingFlushCount == 0 else { return .nothing }
            return requestCount == 0 ? .firstRequest : .nextRequest(requestCount)
        }
        guard parser.isInBody else { return .head(requestCount) }
        return parser.awaitsContinue && !isContinueSent ? .nothing : .body(requestCount)
    }

    private var timeout: TimeAmount? {
        switch wait {
        case .nothing: nil
        case .firstRequest, .head: configuration.headTimeout
        case .nextRequest: configuration.idleTimeout
        case .body: configuration.bodyTimeout
        case .close: configuration.lingerTimeout
        }
    }

    /// Looks at what is waited for, after every event.
    func updateDeadline() {
        guard let context, phase < .closed else { return }
        let wait = currentWait
        if wait != self.wait {
            self.wait = wait
            waitingSince = context.eventLoop.now
        }
        guard let deadline = nearestDeadline, deadline < timerDeadline ?? .distantFuture else { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
    }

    private var nearestDeadline: NIODeadline? {
        let waitDeadline = timeout.map { waitingSince + $0 }
        let flushDeadline = flushingSince.map { $0 + configuration.writeTimeout }
        guard let waitDeadline, let flushDeadline else { return waitDeadline ?? flushDeadline }
        return min(waitDeadline, flushDeadline)
    }

    private func timerFired() {
        timer = nil
        timerDeadline = nil
        guard let context, phase < .closed else { return }
        let now = context.eventLoop.now
        if let flushingSince, now >= flushingSince + configuration.writeTimeout { return close() }
        if let timeout, now >= waitingSince + timeout { expire() }
        updateDeadline()
    }

    private func expire() {
        switch wait {
        case .nothing: break
        case .firstRequest, .nextRequest: finish()
        case .head, .body:
            // Earlier requests of the connection are still owed their answers; this one gets none.
            if slots.isEmpty, outstandingFlushCount == 0 { return close() }
            phase = .lastAnswers
            input.removeAll()
            settle()
        case .close: close()
        }
    }
}
