internal import NIOCore
internal import OpenSSL

/// The way in: bytes to requests to answers.
extension HTTPConnectionHandler {
    /// Whether another request may be taken: the peer takes its answers, does not have too many of them to come, and is not slowed down.
    var hasRoom: Bool {
        slots.count < configuration.inFlightMax && brake == nil && (context?.channel.isWritable ?? false)
    }

    /// Whether more bytes may be read from the channel.
    var wantsBytes: Bool {
        switch phase {
        case .open: hasRoom
        case .lingering: true
        case .lastAnswers, .flushing, .closed: false
        }
    }

    /// Takes bytes from the channel. Where they hold whole requests, those are parsed and answered where they lie.
    func receive(_ buffer: ByteBuffer) {
        // The buffer is ours alone (see the type), so changing what lies behind a pointer for reading surprises nobody.
        buffer.withUnsafeReadableBytes { readable in
            let bytes = UnsafeMutableRawBufferPointer(mutating: readable)
            defer { wipe(bytes) }
            switch phase {
            case .open where !isParsing:
                if input.isEmpty {
                    let consumed = parse(bytes)
                    keep(UnsafeRawBufferPointer(rebasing: bytes[consumed...]))
                } else {
                    keep(readable)
                    parseInput()
                }
            case .lingering:
                discardedByteCount += bytes.count
                if discardedByteCount > Self.lingerByteCountMax { close() }
            // Bytes from inside the answer to earlier ones would be out of order. No handler below sends any.
            case .open: close()
            case .lastAnswers, .flushing, .closed: break
            }
        }
    }

    /// Copies bytes that wait for the rest of their request, or for room. A server without memory for them says so.
    private func keep(_ bytes: UnsafeRawBufferPointer) {
        guard phase == .open, !input.append(bytes, expected: parser.byteCountExpected) else { return }
        input.removeAll()
        phase = .lastAnswers
        enqueue(Slot(id: ids.next(), closes: true, isHead: false), .now(.overloaded()))
    }

    /// Goes on with bytes that were left because there was no room, or with a request that was not complete.
    func parseInput() {
        guard phase == .open, !isParsing, !input.isEmpty else { return }
        let consumed = parse(input.bytes)
        if phase == .open { input.consume(consumed) } else { input.removeAll() }
    }

    /// Takes as many requests from `bytes` as there is room for.
    ///
    /// Nothing may free the memory of `bytes` meanwhile, which may be the input's: ``release()`` leaves it alone while `isParsing`.
    ///
    /// - Returns: Number of bytes that are used up.
    private func parse(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        isParsing = true
        defer {
            isParsing = false
            isMoreOutputLikely = false
        }
        var consumed = 0
        while phase == .open, consumed < bytes.count, hasRoom {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[consumed...])
            switch parser.advance(over: rest) {
            case .incomplete:
                sendContinueIfDue()
                return consumed
            case .complete(let byteCount):
                isMoreOutputLikely = byteCount < rest.count
                answer(UnsafeMutableRawBufferPointer(rebasing: rest[..<byteCount]))
                parser.reset()
                isContinueSent = false
                consumed += byteCount
            case .refused(let refusal):
                phase = .lastAnswers
                enqueue(Slot(id: ids.next(), closes: true, isHead: false), .now(.refusal(refusal)))
            }
        }
        return consumed
    }

    /// Lets the responder answer one complete request, and wipes the request.
    private func answer(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let context else { return }
        requestCount += 1
        let request = HTTPRequest(
            id: ids.next(), layout: parser.layout, isKeepAlive: parser.isKeepAlive, remoteAddress: remoteAddress,
            bytes: UnsafeRawBufferPointer(bytes))
        let slot = Slot(id: request.id, closes: !request.isKeepAlive, isHead: request.methodIs("HEAD"))
        if slot.closes { phase = .lastAnswers }
        let answer = slowed(responder.respond(to: request, on: context.eventLoop), context)
        wipe(bytes)
        enqueue(slot, answer)
    }

    /// Counts requests of strangers in a row. Beyond the limit each is answered with a throttling, and the connection rests for a while:
    /// guessing costs the guesser time and us next to nothing (threat model N16).
    private func slowed(_ answer: Answer, _ context: ChannelHandlerContext) -> Answer {
        guard case .now(let response) = answer, response.isFromStranger else {
            strangersInARow = 0
            return answer
        }
        strangersInARow += 1
        guard strangersInARow > configuration.strangersInARowMax else { return answer }
        response.wipe()
        brake = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.strangerRest) {
            self.brake = nil
            self.resume()
        }
        return .now(.throttled())
    }

    /// Writes an answer that is ready and whose turn it is; else keeps its place.
    private func enqueue(_ slot: Slot, _ answer: Answer) {
        switch answer {
        case .now(let response):
            if slots.isEmpty {
                write(response, for: slot)
            } else {
                slots.append(Slot(id: slot.id, closes: slot.closes, isHead: slot.isHead, response: response))
            }
        case .later(let future):
            guard let context else { return }
            let number = firstSlotNumber + UInt64(slots.count)
            slots.append(slot)
            future.hop(to: context.eventLoop).assumeIsolated().whenComplete { self.complete(number, with: $0) }
        }
    }

    /// Takes an answer that was promised. The connection may be gone by now.
    private func complete(_ number: UInt64, with result: Result<HTTPResponse, any Error>) {
        let response =
            switch result {
            case .success(let response): response
            case .failure: HTTPResponse.internalFailure()
            }
        guard number >= firstSlotNumber, number - firstSlotNumber < UInt64(slots.count) else {
            response.wipe()
            return
        }
        slots[slots.index(slots.startIndex, offsetBy: Int(number - firstSlotNumber))].response = response
        while let slot = slots.first, let response = slot.response {
            slots.removeFirst()
            firstSlotNumber += 1
            write(response, for: slot)
        }
        resume()
    }

    /// Asks for the body of a request whose client waits to be asked, once all earlier answers are out.
    private func sendContinueIfDue() {
        guard phase == .open, parser.awaitsContinue, !isContinueSent, slots.isEmpty else { return }
        isContinueSent = true
        writeContinue()
    }

    /// Goes on where there was no room before.
    func resume() {
        guard !isParsing else { return }
        parseInput()
        sendContinueIfDue()
        settle()
        if isReadSuppressed, wantsBytes {
            isReadSuppressed = false
            context?.read()
        }
    }

    /// Hands over what was written, and ends the connection when nothing is left to do on it.
    func settle() {
        guard !isParsing else { return }
        flush()
        switch phase {
        case .open:
            // After the peer's end of stream, what cannot be parsed now never will be. While draining, a request that has begun is finished.
            let isOver = isInputEnded ? hasRoom : isDraining && input.isEmpty
            if slots.isEmpty, isOver { finish() }
        case .lastAnswers:
            if slots.isEmpty { finish() }
        case .flushing, .lingering, .closed: break
        }
        updateDeadline()
    }

    /// Forgets everything that waits. Answers that come later find no place and are wiped.
    func release() {
        phase = .closed
        timer?.cancel()
        timer = nil
        timerDeadline = nil
        brake?.cancel()
        brake = nil
        for slot in slots { slot.response?.wipe() }
        firstSlotNumber += UInt64(slots.count)
        slots.removeAll()
        pendingOutput?.wipe()
        pendingOutput = nil
        if !isParsing { input.removeAll() }
    }
}
