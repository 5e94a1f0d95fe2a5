/// One record of a segment: a header of 40 bytes, then its payload, filled up to a multiple of 8.
///
///     payload length (4) | kind (1) | flags (1) | 0 (2) | index (8) | term (8) | synced (4) | payload checksum (4) | chain (4) | 0 (4)
///
/// *Synced* is where the part of the segment began that was not synced when the record was written, in units of 8 bytes: damage before
/// that place is damage and no torn write. Both checksums begin with the segment's nonce, so that nothing an earlier life of the file
/// left behind is ever taken for a record; the chain covers the header and the chain value of the record before.
struct Record {
    enum Kind: UInt8 {
        case noop = 1, command, membership, hardState, commit, reset, truncate, recoveryEnded, seal
    }

    static let headerByteCount = 40
    static let chainOffset = 32
    static let payloadChecksumOffset = 28
    static let flagsOffset = 5
    static let endsWriteFlag: UInt8 = 1

    var kind: Kind
    /// The last record of a write: without it nothing of the write counts.
    var endsWrite: Bool
    var index: UInt64
    var term: UInt64
    var payloadByteCount: Int
    /// In bytes.
    var syncedBefore: Int
    var chain: UInt32

    var byteCount: Int { Self.byteCount(payload: payloadByteCount) }

    static func byteCount(payload: Int) -> Int { headerByteCount + (payload + 7) / 8 * 8 }

    // MARK: Checksums, see ``RecordBuffer`` for the writing

    /// What every checksum of a segment begins with.
    static func seed(nonce: UInt64) -> CRC32C {
        var crc = CRC32C()
        crc.update(nonce)
        return crc
    }

    private static func checksum(of payload: UnsafeRawBufferPointer, _ nonce: UInt64) -> UInt32 {
        var crc = seed(nonce: nonce)
        crc.update(payload)
        return crc.value
    }

    private static func chain(_ header: UnsafeRawBufferPointer, after chain: UInt32, _ nonce: UInt64) -> UInt32 {
        var crc = seed(nonce: nonce)
        crc.update(header)
        crc.update(UInt64(chain))
        return crc.value
    }

    // MARK: Reading

    /// The record at `offset` of a segment's bytes with a payload that is whole; nil for anything else. Where it hangs in the chain is not
    /// looked at.
    ///
    /// - Parameter start: Where in its segment `bytes` begins.
    static func read(at offset: Int, in bytes: UnsafeRawBufferPointer, nonce: UInt64, startingAt start: Int = 0, _ settings: LogSettings) -> Record? {
        guard offset + headerByteCount <= bytes.count else { return nil }
        var source = ByteSource(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + headerByteCount]))
        guard let length = source.number(UInt32.self), let kindByte = source.number(UInt8.self), let kind = Kind(rawValue: kindByte),
            let flags = source.number(UInt8.self), flags & ~endsWriteFlag == 0, source.number(UInt16.self) == 0,
            let index = source.number(UInt64.self), let term = source.number(UInt64.self), let synced = source.number(UInt32.self),
            let payloadChecksum = source.number(UInt32.self), let chain = source.number(UInt32.self), source.number(UInt32.self) == 0
        else { return nil }
        let record = Record(
            kind: kind, endsWrite: flags == endsWriteFlag, index: index, term: term, payloadByteCount: Int(length),
            syncedBefore: Int(synced) * 8, chain: chain)
        guard offset + record.byteCount <= bytes.count, record.syncedBefore <= start + offset else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[offset + headerByteCount..<offset + headerByteCount + Int(length)])
        guard settings.isPlanted(.tornRecordAccepted) || checksum(of: payload, nonce) == payloadChecksum else { return nil }
        return record
    }

    /// Whether the record at `offset` of `bytes` follows one with that chain value.
    func follows(_ previous: UInt32, at offset: Int, in bytes: UnsafeRawBufferPointer, nonce: UInt64) -> Bool {
        Self.chain(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Self.chainOffset]), after: previous, nonce) == chain
    }

    func payload(at offset: Int, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[offset + Self.headerByteCount..<offset + Self.headerByteCount + payloadByteCount])
    }
}
