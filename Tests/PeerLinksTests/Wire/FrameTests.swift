import NIOCore
import Testing

@testable import PeerLinks

extension Frame {
    /// The whole frame, length first.
    var bytes: [UInt8] {
        var buffer = ByteBuffer()
        encode(into: &buffer)
        return Array(buffer.readableBytesView)
    }
}

/// The frame of kind and body; `nil` when the decoder says that it is none.
private func decode(_ bytes: some Sequence<UInt8>) -> Result<Frame, WireError> {
    do throws(WireError) { return .success(try Frame(decoding: ByteBuffer(bytes: bytes))) } catch { return .failure(error) }
}

@Suite("Frames on the wire", .timeLimit(.minutes(2)))
struct FrameTests {
    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("the bytes of every kind are what the format says", arguments: GoldenFrames.all)
    func golden(_ sample: GoldenFrames.Sample) throws {
        #expect(Self.hex(sample.frame.bytes) == sample.hex)
        #expect(decode(sample.frame.bytes.dropFirst(4)) == .success(sample.frame))
    }

    @Test("the golden frames cover every kind")
    func goldenCoverage() {
        #expect(Set(GoldenFrames.all.map(\.frame.kind)) == Set(FrameKind.allCases))
    }

    @Test("random frames of every kind come back as they were, and are not longer than was reserved", arguments: FrameKind.allCases)
    func roundTrip(kind: FrameKind) {
        var random = SeededGenerator(seed: UInt64(kind.rawValue))
        for _ in 0..<300 {
            let frame = random.frame(kind)
            let bytes = frame.bytes
            #expect(frame.kind == kind && bytes.count <= frame.byteCountMax)
            #expect(decode(bytes.dropFirst(4)) == .success(frame))
        }
    }

    @Test("a frame cut anywhere is no frame", arguments: FrameKind.allCases)
    func truncation(kind: FrameKind) {
        var random = SeededGenerator(seed: 100 + UInt64(kind.rawValue))
        for _ in 0..<10 {
            let body = Array(random.frame(kind).bytes.dropFirst(4))
            for count in 0..<body.count {
                #expect(decode(body.prefix(count)) == .failure(count == 0 ? .emptyFrame : .truncated))
            }
        }
    }

    @Test("what follows the last field is an error, except before the version is agreed", arguments: FrameKind.allCases)
    func trailingBytes(kind: FrameKind) {
        var random = SeededGenerator(seed: 200 + UInt64(kind.rawValue))
        let frame = random.frame(kind)
        let result = decode(frame.bytes.dropFirst(4) + [0])
        switch kind {
        case .hello, .helloReply, .refusal: #expect(result == .success(frame))
        default: #expect(result == .failure(.trailingBytes))
        }
    }

    @Test("mutated frames and garbage never trap, and what decodes is canonical", arguments: 1...10)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var decoded = 0
        var failed = 0
        for _ in 0..<10_000 {
            var bytes: [UInt8]
            if random.below(5) == 0 {
                bytes = random.bytes(below: 100)
                if !bytes.isEmpty { bytes[0] = FrameKind.allCases[random.below(FrameKind.allCases.count)].rawValue }
            } else {
                bytes = Array(random.frame(FrameKind.allCases[random.below(FrameKind.allCases.count)]).bytes.dropFirst(4))
                for _ in 0...random.below(3) { Self.mutate(&bytes, &random) }
            }
            switch decode(bytes) {
            case .failure: failed += 1
            case .success(let frame):
                decoded += 1
                let again = Array(frame.bytes.dropFirst(4))
                // Only the hello kinds may have carried more than they say.
                if again != bytes { #expect([.hello, .helloReply, .refusal].contains(frame.kind) && bytes.starts(with: again)) }
            }
        }
        #expect(decoded > 100 && failed > 1_000)
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = random.below(bytes.count)
        switch random.below(5) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = 0xFF
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(UInt8(random.below(256)), at: place)
        default: bytes.replaceSubrange(place..<min(place + 4, bytes.count), with: [0xFF, 0xFF, 0xFF, 0xFF])
        }
    }

    @Test("a list that claims more than the frame holds is refused before room is made for it")
    func hugeCount() {
        // An append with 2³²-1 entries: reserved, they would take hundreds of gigabytes.
        let append: [UInt8] = [FrameKind.append.rawValue] + [UInt8](repeating: 0, count: 40) + [0xFF, 0xFF, 0xFF, 0xFF]
        #expect(decode(append) == .failure(.truncated))
    }

    @Test("a counted number that could overflow the core is refused; a name may be any number")
    func counters() {
        let term: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0]
        #expect(decode([FrameKind.retire.rawValue] + term + [UInt8](repeating: 0, count: 8)) == .failure(.invalidValue("term")))
        #expect(decode([FrameKind.pong.rawValue] + [UInt8](repeating: 0xFF, count: 8)) == .success(.pong(.max)))
    }

    @Test("kinds that do not exist, and a hello with another magic, are refused")
    func unknown() {
        for number in UInt8.min...UInt8.max where FrameKind(rawValue: number) == nil {
            #expect(decode([number, 0, 0]) == .failure(.unknownKind(number)))
        }
        #expect(decode([FrameKind.hello.rawValue] + Array("GET / HTTP/1.1\r\n\r\n".utf8)) == .failure(.invalidValue("magic")))
    }
}

@Suite("Frames out of a stream")
struct FrameSplitterTests {
    @Test("frames come out whole, whatever the pieces", arguments: 1...20)
    func pieces(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = (0..<40).map { _ in random.frame(FrameKind.allCases[random.below(FrameKind.allCases.count)]) }
        var stream = frames.flatMap(\.bytes)[...]
        var splitter = FrameSplitter(frameBytesMax: WireFormat.frameBytesMax)
        var received: [Frame] = []
        while !stream.isEmpty {
            let piece = stream.prefix(1 + random.below([1, 10, 5_000][random.below(3)]))
            stream = stream.dropFirst(piece.count)
            splitter.append(ByteBuffer(bytes: piece))
            while let bytes = try splitter.next() { received.append(try Frame(decoding: bytes)) }
        }
        #expect(received == frames)
    }

    @Test("a length beyond the limit, or of nothing, is an error as soon as it is known")
    func lengths() {
        var long = FrameSplitter(frameBytesMax: 100)
        long.append(ByteBuffer(bytes: [0, 0, 0, 101]))
        #expect(throws: WireError.frameTooLong(byteCount: 101)) { try long.next() }
        var empty = FrameSplitter(frameBytesMax: 100)
        empty.append(ByteBuffer(bytes: [0, 0, 0, 0]))
        #expect(throws: WireError.emptyFrame) { try empty.next() }
    }

    @Test("a whole frame of the largest size passes")
    func largest() throws {
        var splitter = FrameSplitter(frameBytesMax: 100)
        splitter.append(ByteBuffer(bytes: [0, 0, 0, 100] + [UInt8](repeating: 7, count: 100)))
        #expect(try splitter.next()?.readableBytes == 100)
        #expect(try splitter.next() == nil)
    }
}
