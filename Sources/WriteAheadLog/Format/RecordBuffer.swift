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

    /// Appends a record without its chain value: the record before it must have been given its own by ``seal(endsWrite:after:nonce:)``.
    ///
    /// - Parameter body: Writes exactly `payloadByteCount` bytes.
    mutating func append(
        _ kind: Record.Kind, index: UInt64, term: UInt64, nonce: UInt64, syncedBefore: Int, payloadByteCount: Int,
        payload body: (inout PayloadWriter) -> Void
    ) {
        precondition(open == nil, "one record after the other")
        let start = count
        let record = extend(by: Record.byteCount(payload: payloadByteCount))
        let end = Record.headerByteCount + payloadByteCount
        var writer = PayloadWriter(UnsafeMutableRawBufferPointer(rebasing: record[Record.headerByteCount..<end]), nonce: nonce)
        body(&writer)
        record.storeBytes(of: UInt32(payloadByteCount).littleEndian, toByteOffset: 0, as: UInt32.self)
        // The kind, no flags yet, and two bytes of zeros.
        record.storeBytes(of: UInt32(kind.rawValue).littleEndian, toByteOffset: 4, as: UInt32.self)
        record.storeBytes(of: index.littleEndian, toByteOffset: 8, as: UInt64.self)
        record.storeBytes(of: term.littleEndian, toByteOffset: 16, as: UInt64.self)
        record.storeBytes(of: UInt32(syncedBefore / 8).littleEndian, toByteOffset: 24, as: UInt32.self)
        record.storeBytes(of: writer.finish().littleEndian, toByteOffset: Record.payloadChecksumOffset, as: UInt32.self)
        for place in end..<record.count { record[place] = 0 }
        open = start
    }

    /// Gives the last record its chain value, unless it has one.
    ///
    /// - Returns: The chain value that the next record follows.
    mutating func seal(endsWrite: Bool, after chain: UInt32, nonce: UInt64) -> UInt32 {
        guard let start = open else { return chain }
        open = nil
        if endsWrite { memory[start + Record.flagsOffset] = Record.endsWriteFlag }
        let value = Record.chain(UnsafeRawBufferPointer(rebasing: memory[start..<start + Record.chainOffset]), after: chain, nonce)
        // Four bytes of zeros behind it.
        memory.storeBytes(of: UInt64(value).littleEndian, toByteOffset: start + Record.chainOffset, as: UInt64.self)
        return value
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

/// Fills the payload of one record in its place, and takes the checksum on the way.
struct PayloadWriter: ByteSink {
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0
    /// So many bytes are in the checksum.
    private var checked = 0
    private var crc: CRC32C

    init(_ memory: UnsafeMutableRawBufferPointer, nonce: UInt64) {
        self.memory = memory
        crc = CRC32C()
        crc.update(nonce)
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
