import NIOCore

/// The frames that wait for one connection, and the way they leave: everything of one turn of the event loop in one flush, as far as
/// the socket takes it. Belongs to the event loop.
///
/// A frame is encoded once, into a chunk that goes to the socket as it is; chunks are made as large as what comes first needs, and
/// never grow. TLS wipes them after use.
final class FrameSender {
    /// Most bytes per flush; the channel holds at most about that much of ours beside what waits here.
    private static let batchBytes = 256 << 10
    private static let chunkBytesMin = 4 << 10

    private let channel: any Channel
    private let counting: () -> PeerCounting?
    private let bytesMax: Int
    private let framesMax: Int

    private var full = CircularBuffer<ByteBuffer>()
    private var open = ByteBuffer()
    private(set) var queuedBytes = 0
    /// Frames that have not been handed to the channel. Those in chunks that were are counted as sent.
    private(set) var queuedFrames = 0
    private var framesInChunks = CircularBuffer<Int>()
    private var framesInOpen = 0
    private var isFlushScheduled = false
    private var isEnded = false

    /// - Parameter counting: Asked when something was sent.
    init(channel: any Channel, bytesMax: Int, framesMax: Int, counting: @escaping () -> PeerCounting?) {
        self.channel = channel
        self.bytesMax = bytesMax
        self.framesMax = framesMax
        self.counting = counting
    }

    /// Queues `frame` to leave at the end of this turn of the loop.
    ///
    /// - Returns: `false` when the queue is full: nothing was taken.
    func append(_ frame: Frame) -> Bool {
        let byteCountMax = frame.byteCountMax
        guard !isEnded, queuedFrames < framesMax, queuedBytes + byteCountMax <= bytesMax else { return false }
        if open.writableBytes < byteCountMax {
            closeChunk()
            open = channel.allocator.buffer(capacity: max(byteCountMax, Self.chunkBytesMin))
        }
        let before = open.readableBytes
        frame.encode(into: &open)
        queuedBytes += open.readableBytes - before
        queuedFrames += 1
        framesInOpen += 1
        scheduleFlush()
        return true
    }

    private func closeChunk() {
        guard framesInOpen > 0 else { return }
        full.append(open)
        framesInChunks.append(framesInOpen)
        open = ByteBuffer()
        framesInOpen = 0
    }

    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        channel.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    /// Writes as much as the channel takes; call it again when the channel becomes writable.
    func flush() {
        guard !isEnded else { return }
        let counters = counting()
        while channel.isWritable, queuedFrames > 0 {
            var written = 0
            while written < Self.batchBytes, queuedFrames > 0 {
                if full.isEmpty { closeChunk() }
                let chunk = full.removeFirst()
                let frames = framesInChunks.removeFirst()
                written += chunk.readableBytes
                queuedBytes -= chunk.readableBytes
                queuedFrames -= frames
                counters?.counters.framesSent += UInt64(frames)
                counters?.counters.bytesSent += UInt64(chunk.readableBytes)
                channel.write(chunk, promise: nil)
            }
            channel.flush()
        }
    }

    /// Takes nothing any more.
    ///
    /// - Returns: How many frames never left.
    func end() -> Int {
        let lost = queuedFrames
        isEnded = true
        full.removeAll()
        framesInChunks.removeAll()
        open = ByteBuffer()
        (queuedBytes, queuedFrames, framesInOpen) = (0, 0, 0)
        return lost
    }
}
