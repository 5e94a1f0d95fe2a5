internal import NIOCore

/// The way out: answers to bytes, and the end of the connection.
extension HTTPConnectionHandler {
    /// Room for several answers in one buffer, used while more requests of the same read are being answered.
    private static let coalescedByteCount = 16_384
    /// How many answers in a row, and of what size, go out to a peer that took the last one at once, before the next is followed again.
    /// To follow each costs as much as to write it. A peer that stops taking answers among these is met by the time-out for idle ones.
    private static let unfollowedFlushCountMax = 16
    private static let unfollowedByteCountMax = 16_384

    /// Writes an answer whose turn it is. Nothing is sent before ``flush()``.
    func write(_ answer: HTTPResponse, for slot: Slot) {
        guard phase < .flushing else {
            answer.wipe()
            return
        }
        var response = answer
        if !HTTPResponseEncoder.isWellFormed(response) {
            response.wipe()
            response = .internalFailure(closesConnection: response.closesConnection)
        }
        let closes = slot.closes || response.closesConnection || (isDraining && slots.isEmpty)
        append(HTTPResponseEncoder.byteCountMax(of: response)) { output in
            encoder.encode(response, id: slot.id, closes: closes, isHead: slot.isHead, into: output)
        }
        response.wipe()
        if closes { endAfterThisAnswer() }
        if unflushedByteCount >= Self.unflushedByteCountMax { flush() }
    }

    func writeContinue() {
        let text = HTTPResponseEncoder.interimContinue
        append(text.utf8CodeUnitCount) { output in
            var cursor = ByteCursor(output)
            cursor.append(text)
            return cursor.count
        }
    }

    /// The answer told the peer that it is the last: what it asked after it is not answered.
    private func endAfterThisAnswer() {
        phase = .lastAnswers
        for slot in slots { slot.response?.wipe() }
        firstSlotNumber += UInt64(slots.count)
        slots.removeAll()
    }

    /// Lets `body` write up to `byteCount` bytes. Buffers have their size from the start: one that grew would leave its bytes behind.
    private func append(_ byteCount: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
        guard let context else { return }
        var output: ByteBuffer
        if let pending = pendingOutput.take() {
            if pending.writableBytes >= byteCount {
                output = pending
            } else {
                context.write(wrapOutboundOut(pending), promise: nil)
                output = context.channel.allocator.buffer(capacity: max(byteCount, isMoreOutputLikely ? Self.coalescedByteCount : 0))
            }
        } else {
            output = context.channel.allocator.buffer(capacity: max(byteCount, isMoreOutputLikely ? Self.coalescedByteCount : 0))
        }
        unflushedByteCount += output.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount, body)
        pendingOutput = output
    }

    /// Sends everything that was written.
    func flush() {
        guard let output = pendingOutput.take() else { return }
        unflushedByteCount = 0
        let isFollowed =
            !isPeerPrompt || outstandingFlushCount > 0 || phase != .open || output.readableBytes > Self.unfollowedByteCountMax
            || unfollowedFlushCount == Self.unfollowedFlushCountMax
        if isFollowed {
            follow(output)
        } else {
            unfollowedFlushCount += 1
            context?.writeAndFlush(wrapOutboundOut(output), promise: nil)
        }
    }

    /// Sends `output`, and learns when the peer has taken it and everything before it.
    private func follow(_ output: ByteBuffer) {
        guard let context else { return }
        outstandingFlushCount += 1
        unfollowedFlushCount = 0
        isPeerPrompt = false
        isFlushing = true
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { self.flushed($0) }
        context.writeAndFlush(wrapOutboundOut(output), promise: promise)
        isFlushing = false
        if outstandingFlushCount > 0, flushingSince == nil { flushingSince = context.eventLoop.now }
    }

    private func flushed(_ result: Result<Void, any Error>) {
        outstandingFlushCount -= 1
        isPeerPrompt = isFlushing
        guard phase < .closed else { return }
        if case .failure = result { return close() }
        flushingSince = outstandingFlushCount == 0 ? nil : context?.eventLoop.now
        if phase == .flushing, outstandingFlushCount == 0 { closeOutput() }
        updateDeadline()
    }

    /// Ends the connection once the peer has taken everything.
    func finish() {
        guard phase < .flushing else { return }
        phase = .flushing
        if !isParsing { input.removeAll() }
        flush()
        if unfollowedFlushCount > 0 { follow(ByteBuffer()) }
        if phase == .flushing, outstandingFlushCount == 0 { closeOutput() }
        updateDeadline()
    }

    private func closeOutput() {
        guard let context, !isInputEnded else { return close() }
        phase = .lingering
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenFailure { _ in self.close() }
        context.close(mode: .output, promise: promise)
        if isReadSuppressed, phase == .lingering {
            isReadSuppressed = false
            context.read()
        }
    }

    /// Closes at once; answers that the peer has not taken are lost.
    func close() {
        guard phase < .closed else { return }
        release()
        context?.close(promise: nil)
    }
}
