import OpenSSL

/// The key derivation of SigV4: date, region, service and terminator, each hashed under the key before it.
enum SigningKey {
    /// The key that signs the requests of one day to one service in one region.
    ///
    /// - Parameter date: The 8 bytes `YYYYMMDD`.
    static func derive(secret: SecretBytes, date: RawSpan, region: [UInt8], service: [UInt8]) -> HMACKey {
        let prefix = SigV4.secretPrefix
        let first = SecretBytes(count: prefix.utf8CodeUnitCount + secret.count) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
            secret.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[prefix.utf8CodeUnitCount...]).copyMemory(from: $0) }
        }
        let terminator = UnsafeRawBufferPointer(start: SigV4.terminator.utf8Start, count: SigV4.terminator.utf8CodeUnitCount)
        var key = HMACKey(first)
        key = next(key, date)
        key = next(key, region.span.bytes)
        key = next(key, service.span.bytes)
        return next(key, terminator.bytes)
    }

    private static func next(_ key: HMACKey, _ piece: RawSpan) -> HMACKey {
        var digest = key.authenticate(piece)
        defer { withUnsafeMutableBytes(of: &digest) { wipe($0) } }
        return HMACKey(digest.withUnsafeBytes { SecretBytes(copying: $0) })
    }
}
