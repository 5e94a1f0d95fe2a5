internal import CChecksum

/// The Castagnoli checksum (RFC 3720, appendix B.4): by the processor's instruction, or eight bytes at a time by tables.
struct CRC32C {
    private static var hasInstruction: Bool { checksum_has_crc32c() != 0 }

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for byte in 0..<256 {
            for table in 1..<8 {
                let previous = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    private var state: UInt32 = ~0

    var value: UInt32 { ~state }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    mutating func update(_ number: UInt64) {
        Swift.withUnsafeBytes(of: number.littleEndian) { update($0) }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state = Self.hasInstruction ? checksum_crc32c(state, bytes.baseAddress, bytes.count) : Self.byTables(state, bytes)
    }

    /// Copies the bytes on the way: long ones are looked at once.
    ///
    /// - Precondition: There is room for them.
    mutating func update(_ bytes: UnsafeRawBufferPointer, copyingTo target: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count <= target.count, "room for a copy")
        guard Self.hasInstruction, let place = target.baseAddress else {
            target.copyMemory(from: bytes)
            return update(bytes)
        }
        state = checksum_crc32c_copying(state, place, bytes.baseAddress, bytes.count)
    }

    /// The register after `bytes`, without the instruction.
    static func byTables(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = state
        tables.withUnsafeBufferPointer { tables in
            var offset = 0
            while offset + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                crc = tables[7 * 256 + Int(word & 0xFF)] ^ tables[6 * 256 + Int(word >> 8 & 0xFF)]
                    ^ tables[5 * 256 + Int(word >> 16 & 0xFF)] ^ tables[4 * 256 + Int(word >> 24 & 0xFF)]
                    ^ tables[3 * 256 + Int(word >> 32 & 0xFF)] ^ tables[2 * 256 + Int(word >> 40 & 0xFF)]
                    ^ tables[1 * 256 + Int(word >> 48 & 0xFF)] ^ tables[Int(word >> 56)]
                offset += 8
            }
            while offset < bytes.count {
                crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
                offset += 1
            }
        }
        return crc
    }
}
