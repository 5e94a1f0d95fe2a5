internal import Logging

/// Why a log cannot be opened, in one sentence that says what to do.
package struct LogDamage: Error, CustomStringConvertible {
    package let description: String
}

/// The files of a log, in order. Owned by one thread.
///
/// A segment is allocated in full when it is made, so that a full disk is met then, before anything is acknowledged, and not in
/// the middle of a group.
struct LogSegments {
    /// Largest group of entries, in bytes, unless one entry alone is larger.
    static let groupByteCountMax = 4 << 20
    private static let magic = Array("conclave-log-1\n".utf8)
    private static let suffix = ".log"

    private struct Segment {
        var firstIndex: UInt64
        var path: String
    }

    private let directory: String
    /// Size of a new segment, in bytes, header included. A group that is larger gets a segment of its own size.
    private let segmentByteCount: Int
    private let files: any LogFileSystem
    /// Ascending; the last one is written to.
    private var segments: [Segment] = []
    private var current: (any LogFile)?
    /// Where the next group goes in the current segment, and where that ends.
    private var end = 0
    private var capacity = 0
    /// Index of the next entry.
    private(set) var nextIndex: UInt64

    /// Reads the log and gives every entry above `appliedIndex`, in order, to `replay`.
    ///
    /// A last group that was not written whole is cut off: it was never acknowledged. Damage anywhere else is not the mark of a
    /// crash and is refused.
    ///
    /// - Throws: ``LogDamage``; `FileFailure`; what `replay` throws.
    init(
        directory: String, segmentByteCount: Int, files: any LogFileSystem, appliedIndex: UInt64, logger: Logger,
        replay: (UInt64, [UInt8]) throws -> Void
    ) throws {
        self.directory = directory
        self.segmentByteCount = segmentByteCount
        self.files = files
        nextIndex = appliedIndex + 1
        for name in try files.list(directory) {
            guard name.hasSuffix(Self.suffix), let firstIndex = UInt64(name.dropLast(Self.suffix.count), radix: 16) else { continue }
            segments.append(Segment(firstIndex: firstIndex, path: directory + "/" + name))
        }
        guard let first = segments.first else {
            guard appliedIndex == 0 else {
                throw LogDamage(description: "the log in '\(directory)' is gone, but the state holds \(appliedIndex) entries; restore the directory")
            }
            return
        }
        guard first.firstIndex <= appliedIndex + 1 else {
            throw LogDamage(description: "the log begins at \(first.firstIndex), the state ends at \(appliedIndex): entries between are missing")
        }
        var expected = first.firstIndex
        for (position, segment) in segments.enumerated() {
            let isLast = position == segments.count - 1
            try scan(segment, isLast: isLast, expected: &expected, appliedIndex: appliedIndex, logger: logger, replay: replay)
        }
        guard expected > appliedIndex else {
            throw LogDamage(description: "the log ends at \(expected - 1), but the state holds \(appliedIndex) entries; restore the directory")
        }
        nextIndex = expected
    }

    private mutating func scan(
        _ segment: Segment, isLast: Bool, expected: inout UInt64, appliedIndex: UInt64, logger: Logger, replay: (UInt64, [UInt8]) throws -> Void
    ) throws {
        let content = try files.read(segment.path)
        guard segment.firstIndex == expected else {
            throw LogDamage(description: "'\(segment.path)' should begin at entry \(expected): a segment is missing")
        }
        var offset = LogFrame.alignment
        if !content.starts(with: Self.magic) {
            // A crash between the making of a file and its first write leaves zeros.
            guard isLast, content.allSatisfy({ $0 == 0 }) else { throw LogDamage(description: "'\(segment.path)' is not a segment of a log") }
        } else {
            frames: while offset < content.count {
                switch LogFrame.find(in: content, at: offset) {
                case .frame(let frame):
                    guard frame.firstIndex == expected else { throw damage(segment, at: offset) }
                    for entry in frame.entries {
                        if expected > appliedIndex { try replay(expected, entry) }
                        expected += 1
                    }
                    offset += frame.byteCount
                case .end:
                    if LogFrame.hasFrame(in: content, after: offset, indexAbove: expected) { throw damage(segment, at: offset) }
                    break frames
                case .damaged:
                    guard isLast, !LogFrame.hasFrame(in: content, after: offset, indexAbove: expected) else { throw damage(segment, at: offset) }
                    logger.notice("cut a group of entries that was never acknowledged off the log", metadata: ["log.index": "\(expected)"])
                    break frames
                }
            }
        }
        if isLast { try reopen(segment, content: content, end: offset) }
    }

    /// Makes the rest of the last segment zero again, so that nothing of a torn group can be taken for an entry later.
    private mutating func reopen(_ segment: Segment, content: [UInt8], end: Int) throws {
        let file = try files.open(segment.path)
        if !content.starts(with: Self.magic) { try file.write(Self.header(), at: 0) }
        if let lastUsed = content[end...].lastIndex(where: { $0 != 0 }) {
            try file.write([UInt8](repeating: 0, count: lastUsed + 1 - end), at: end)
        }
        try file.synchronize()
        current = file
        self.end = end
        capacity = content.count
    }

    private func damage(_ segment: Segment, at offset: Int) -> LogDamage {
        LogDamage(
            description: "'\(segment.path)' is damaged at byte \(offset), before entries that were written later: this is not the mark of a crash; "
                + "restore the node from a backup")
    }

    /// Writes `entries` and makes them durable; returns the index of the first.
    ///
    /// - Throws: `FileFailure` with ``FileFailure/isDiskFull`` before anything was written; any other failure is fatal for the node.
    mutating func append(_ entries: [[UInt8]]) throws(FileFailure) -> UInt64 {
        let firstIndex = nextIndex
        let frame = LogFrame.encode(entries, firstIndex: firstIndex)
        if current == nil || end + frame.count > capacity { try startSegment(fitting: frame.count) }
        guard let current else { preconditionFailure("a segment was started a line above") }
        try current.write(frame, at: end)
        try current.synchronize()
        end += frame.count
        nextIndex += UInt64(entries.count)
        return firstIndex
    }

    private mutating func startSegment(fitting frameByteCount: Int) throws(FileFailure) {
        let digits = String(nextIndex, radix: 16)
        let path = directory + "/" + String(repeating: "0", count: 16 - digits.count) + digits + Self.suffix
        let byteCount = max(segmentByteCount, LogFrame.alignment + frameByteCount)
        let file = try files.create(path, byteCount: byteCount)
        do throws(FileFailure) {
            try file.write(Self.header(), at: 0)
        } catch {
            // The next try makes the file anew, under the same name.
            try files.remove(path)
            throw error
        }
        segments.append(Segment(firstIndex: nextIndex, path: path))
        current = file
        end = LogFrame.alignment
        capacity = byteCount
    }

    private static func header() -> [UInt8] {
        magic + [UInt8](repeating: 0, count: LogFrame.alignment - magic.count)
    }

    /// Removes the segments whose entries are all at or below `index`; the last segment stays.
    mutating func removeSegments(through index: UInt64) throws(FileFailure) {
        while segments.count > 1, segments[1].firstIndex <= index + 1 {
            try files.remove(segments[0].path)
            segments.removeFirst()
        }
    }
}
