// The table as bytes, for snapshots and for the hash of the state: equal tables have equal bytes, and other bytes are refused.
//
//   table    version (1 byte) | number of rows (u32) | rows, ascending by id
//   row      registeredAt (u64) | nonce (u64) | lastUsed (u64) | mark (u64) | number of executed (u32) | executed, ascending by sequence
//   executed sequence (u64) | 0, or length of the outcome + 1 (u32) | outcome
//
// Numbers are little-endian.

/// Why bytes are not a table.
package enum SessionImageProblem: Error, Hashable, Sendable {
    /// The bytes end within something.
    case truncated(offset: Int)
    /// Bytes follow the last row.
    case trailing(offset: Int)
    case unknownVersion(UInt8)
    /// No table is written in this way, or none with these settings: the order is wrong, or a limit is passed.
    case notCanonical(offset: Int)
}

extension SessionTable {
    /// The whole table in its canonical form.
    package func encoded() throws(Rows.Failure) -> [UInt8] {
        var bytes: [UInt8] = [sessionImageVersion]
        bytes.append(u32: try rows.count)
        var next = try rows.row(after: nil)
        while let row = next {
            row.append(to: &bytes)
            next = try rows.row(after: row.id)
        }
        return bytes
    }
}

extension SessionTable where Rows == MemorySessionRows {
    package init(settings: SessionSettings) { self.init(rows: MemorySessionRows(), settings: settings) }

    /// - Throws: What is wrong with bytes that ``encoded()`` does not make.
    package init(encoded bytes: [UInt8], settings: SessionSettings) throws(SessionImageProblem) {
        self.init(rows: try MemorySessionRows(encoded: bytes, settings: settings), settings: settings)
    }
}

extension MemorySessionRows {
    init(encoded bytes: [UInt8], settings: SessionSettings) throws(SessionImageProblem) {
        self.init()
        var reader = SessionReader(bytes)
        let version = try reader.u8()
        guard version == sessionImageVersion else { throw .unknownVersion(version) }
        let count = try reader.u32()
        guard count <= settings.sessionCountMax else { throw .notCanonical(offset: reader.offset) }
        var previous: SessionID?
        for _ in 0..<count {
            let row = try SessionRow(from: &reader, settings: settings)
            if let previous, row.id <= previous { throw .notCanonical(offset: reader.offset) }
            previous = row.id
            put(row)
        }
        guard reader.offset == bytes.count else { throw .trailing(offset: reader.offset) }
    }
}

extension SessionRow {
    /// The row in its canonical form, for tables on disk.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    package init(encoded bytes: [UInt8], settings: SessionSettings) throws(SessionImageProblem) {
        var reader = SessionReader(bytes)
        try self.init(from: &reader, settings: settings)
        guard reader.offset == bytes.count else { throw .trailing(offset: reader.offset) }
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        for number in [id.registeredAt, id.nonce, lastUsed, mark] { bytes.append(u64: number) }
        bytes.append(u32: executed.count)
        for request in executed {
            bytes.append(u64: request.sequence)
            bytes.append(u32: request.outcome.map { $0.count + 1 } ?? 0)
            bytes.append(contentsOf: request.outcome ?? [])
        }
    }

    fileprivate init(from reader: inout SessionReader, settings: SessionSettings) throws(SessionImageProblem) {
        let start = reader.offset
        self.init(id: SessionID(registeredAt: try reader.u64(), nonce: try reader.u64()))
        lastUsed = try reader.u64()
        mark = try reader.u64()
        guard lastUsed >= id.registeredAt, mark >= 1 else { throw .notCanonical(offset: start) }
        var byteCount = 0
        for _ in 0..<(try reader.u32()) {
            let place = reader.offset
            let sequence = try reader.u64()
            let length = try reader.u32()
            let outcome = length == 0 ? nil : try reader.bytes(length - 1)
            byteCount += outcome?.count ?? 0
            guard
                sequence >= mark, sequence - mark < settings.windowWidth, sequence > executed.last?.sequence ?? 0,
                byteCount <= settings.outcomeByteCountMax
            else { throw .notCanonical(offset: place) }
            executed.append(Executed(sequence: sequence, outcome: outcome))
        }
    }
}

private let sessionImageVersion: UInt8 = 1

extension [UInt8] {
    fileprivate mutating func append(u64 number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// - Precondition: It fits; the limits of the table see to it.
    fileprivate mutating func append(u32 number: Int) {
        let number = UInt32(number)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

private struct SessionReader {
    private let source: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { source = bytes }

    mutating func bytes(_ count: Int) throws(SessionImageProblem) -> [UInt8] {
        guard source.count - offset >= count else { throw .truncated(offset: offset) }
        defer { offset += count }
        return Array(source[offset..<offset + count])
    }

    mutating func u8() throws(SessionImageProblem) -> UInt8 { UInt8(try number(1)) }
    mutating func u32() throws(SessionImageProblem) -> Int { Int(try number(4)) }
    mutating func u64() throws(SessionImageProblem) -> UInt64 { try number(8) }

    private mutating func number(_ count: Int) throws(SessionImageProblem) -> UInt64 {
        guard source.count - offset >= count else { throw .truncated(offset: offset) }
        defer { offset += count }
        return (0..<count).reduce(0) { $0 | UInt64(source[offset + $1]) << UInt64(8 * $1) }
    }
}
