internal import Access
internal import Glibc

extension HTTPRequestParser {
    /// Takes the next part of a chunked body (RFC 9112, section 7.1). Data moves down over the framing, so that the body is one piece
    /// in the end. Extensions and trailers are refused: nothing here would read them, and other readers treat them differently.
    ///
    /// - Returns: False when more bytes are needed, or the body is complete.
    mutating func takeChunkPart(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        switch phase {
        case .chunkSize: return try takeChunkSize(bytes, count: count)
        case .chunkData(let remaining):
            let taken = min(remaining, count - position)
            if bodyEnd != position { memmove(bytes + bodyEnd, bytes + position, taken) }
            bodyEnd += taken
            position += taken
            phase = taken == remaining ? .chunkEnd : .chunkData(remaining: remaining - taken)
            return taken == remaining
        case .chunkEnd:
            guard try takeLineEnd(bytes, count: count) else { return false }
            phase = .chunkSize
            return true
        case .chunkedEnd:
            guard try takeLineEnd(bytes, count: count) else { return false }
            completeChunkedBody()
            return false
        default: return false
        }
    }

    private mutating func takeChunkSize(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        var (index, size) = (position, 0)
        while index < count, let digit = HTTPCharacters.hexValue(bytes[index]) {
            size = size << 4 | Int(digit)
            index += 1
            guard index - position <= HTTPLimits.chunkSizeDigitsMax else { throw .chunk }
        }
        guard index < count else { return false }
        guard index > position, bytes[index] == HTTPCharacters.carriageReturn else { throw .chunk }
        guard index + 1 < count else { return false }
        guard bytes[index + 1] == HTTPCharacters.lineFeed else { throw .chunk }

        // The line end after the data is counted here.
        chunkFramingByteCount += index + 4 - position
        guard chunkFramingByteCount <= HTTPLimits.chunkFramingBytesMax else { throw .chunk }
        guard size <= HTTPLimits.bodyBytesMax - (bodyEnd - layout.body.lowerBound) else { throw .bodyTooLarge }
        position = index + 2
        phase = size == 0 ? .chunkedEnd : .chunkData(remaining: size)
        return true
    }

    private mutating func takeLineEnd(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        guard position < count else { return false }
        guard bytes[position] == HTTPCharacters.carriageReturn else { throw .chunk }
        guard position + 1 < count else { return false }
        guard bytes[position + 1] == HTTPCharacters.lineFeed else { throw .chunk }
        position += 2
        return true
    }
}
