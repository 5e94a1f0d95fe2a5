import Raft

/// Records on their way to a file, in one piece of memory that is used again and again.
///
/// Raw memory, because a log spends its time here: every byte is written once, straight to where the file system takes it from. Nothing
/// outside sees memory that is not initialised, and the memory belongs to one owner.
struct RecordBuffer: ~Copyable {
    /// What is kept when everything was handed over; one large entry shall not cost its memory for ever.
    private static let keptByteCountMax = 1 << 20

    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 8)
    private(set) var count = 0
    /// Where the last record begins, as long as it is not known whether its write ends with it.
    private var open: Int?

    deinit { memory.deallocate() }

    /// Valid until the buffer is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    mutating func removeAll() {
        precondition(open == nil, "a record is whole before it leaves")
        count = 0
        guard memory.count > Self.keptByteCountMax else { return }
        memory.deallocate()
        memory = .allocate(byteCount: Self.keptByteCountMax, alignment: 8)
    }

    /// Begins a record behind one that is sealed. The writer takes the payload, and must come back by ``finish(_:)``.
    mutating func begin(_ kind: Record.Kind, index: UInt64, term: UInt64, payloadByteCount: Int, in end: SegmentEnd) -> PayloadWriter {
        precondition(open == nil, "one record after the other")
        open = count
        let record = extend(by: Record.byteCount(payload: payloadByteCount))
        record.storeBytes(of: UInt32(payloadByteCount).littleEndian, toByteOffset: 0, as: UInt32.self)
        // The kind, no flags yet, and two bytes of zeros.
        record.storeBytes(of: UInt32(kind.rawValue).littleEndian, toByteOffset: 4, as: UInt32.self)
        record.storeBytes(of: index.littleEndian, toByteOffset: 8, as: UInt64.self)
        record.storeBytes(of: term.littleEndian, toByteOffset: 16, as: UInt64.self)
        record.storeBytes(of: UInt32(end.syncedEnd / 8).littleEndian, toByteOffset: 24, as: UInt32.self)
        // What the padding leaves of the last eight bytes; the payload is written over the rest.
        record.storeBytes(of: 0, toByteOffset: record.count - 8, as: UInt64.self)
        let payload = Record.headerByteCount..<Record.headerByteCount + payloadByteCount
        return PayloadWriter(UnsafeMutableRawBufferPointer(rebasing: record[payload]), end.seed)
    }

    mutating func finish(_ writer: consuming PayloadWriter) {
        guard let start = open else { preconditionFailure("what was begun") }
        memory.storeBytes(of: writer.finish().littleEndian, toByteOffset: start + Record.payloadChecksumOffset, as: UInt32.self)
    }

    /// Gives the last record its chain value, unless it has one.
    ///
    /// - Parameter chain: The value that the record follows; afterwards the one that the next record follows.
    mutating func seal(endsWrite: Bool, after chain: inout UInt32, _ seed: CRC32C) {
        guard let start = open else { return }
        open = nil
        if endsWrite { memory[start + Record.flagsOffset] = Record.endsWriteFlag }
        // The checksum goes over the header and the value before, which stands for that in the place of the new one.
        memory.storeBytes(of: UInt64(chain).littleEndian, toByteOffset: start + Record.chainOffset, as: UInt64.self)
        var crc = seed
        crc.update(UnsafeRawBufferPointer(rebasing: memory[start..<start + Record.headerByteCount]))
        chain = crc.value
        memory.storeBytes(of: UInt64(chain).littleEndian, toByteOffset: start + Record.chainOffset, as: UInt64.self)
    }

    /// Appends the records of entries that follow each other, as many as there is room for in the segment and until `byteCountMax` bytes
    /// are in the buffer; at least one if there is room. The last is not sealed. This is where a busy log spends its time.
    ///
    /// - Returns: How many.
    mutating func append(
        _ entries: ArraySlice<Entry>, in end: SegmentEnd, after chain: inout UInt32, byteCountMax: Int, places: inout SlidingArray<EntryPlace>
    ) -> Int {
        for position in entries.indices {
            let (id, body) = (entries[position].id, entries[position].body)
            let payload = EntryCoding.payloadByteCount(of: body)
            let byteCount = Record.byteCount(payload: payload)
            let offset = end.bufferStart + count
            guard end.hasRoom(for: byteCount, at: offset), position == entries.startIndex || count < byteCountMax else {
                return position - entries.startIndex
            }
            seal(endsWrite: false, after: &chain, end.seed)
            var writer = begin(EntryCoding.kind(of: body), index: id.index.raw, term: id.term.raw, payloadByteCount: payload, in: end)
            EntryCoding.append(body, to: &writer)
            finish(writer)
            places.append(EntryPlace(term: id.term, segment: end.sequence, offset: offset, byteCount: byteCount))
        }
        return entries.count
    }

    /// More memory at the end, to be initialised at once.
    private mutating func extend(by byteCount: Int) -> UnsafeMutableRawBufferPointer {
        if count + byteCount > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(2 * memory.count, count + byteCount), alignment: 8)
            larger.copyMemory(from: bytes)
            memory.deallocate()
            memory = larger
        }
        defer { count += byteCount }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + byteCount])
    }
}

/// The place behind the last record of a log.
struct SegmentEnd {
    let sequence: UInt64
    /// What the checksums of the segment begin with.
    let seed: CRC32C
    /// Of the segment, in bytes.
    let capacity: Int
    /// Where in the segment the first byte of the buffer goes.
    let bufferStart: Int
    /// Everything of the segment before that byte is on disk.
    let syncedEnd: Int

    /// A segment always has room for the record that seals it.
    func hasRoom(for byteCount: Int, at offset: Int) -> Bool { offset + byteCount + Record.headerByteCount <= capacity }
}

/// Fills the payload of one record in its place, and takes the checksum on the way.
struct PayloadWriter: ByteSink {
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0
    /// So many bytes are in the checksum.
    private var checked = 0
    private var crc: CRC32C

    init(_ memory: UnsafeMutableRawBufferPointer, _ seed: CRC32C) {
        self.memory = memory
        crc = seed
    }

    mutating func put<Number: FixedWidthInteger>(_ number: Number) {
        precondition(MemoryLayout<Number>.size <= memory.count - count, "a payload has the length that was said")
        memory.storeBytes(of: number.littleEndian, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    mutating func put(_ bytes: [UInt8]) {
        precondition(bytes.count <= memory.count - count, "a payload has the length that was said")
        check()
        bytes.withUnsafeBytes { crc.update($0, copyingTo: UnsafeMutableRawBufferPointer(rebasing: memory[count...])) }
        count += bytes.count
        checked = count
    }

    /// - Returns: The checksum of all that was written.
    mutating func finish() -> UInt32 {
        precondition(count == memory.count, "a payload has the length that was said")
        check()
        return crc.value
    }

    private mutating func check() {
        guard checked < count else { return }
        crc.update(UnsafeRawBufferPointer(rebasing: memory[checked..<count]))
        checked = count
    }
}
