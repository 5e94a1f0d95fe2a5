internal import COpenSSL

/// HKDF with HMAC-SHA-256 (RFC 5869).
package enum HKDF {
    /// Derives `count` bytes (at most 255 * 32) from `key`.
    package static func derive(from key: SecretBytes, salt: RawSpan, info: RawSpan, count: Int) -> SecretBytes {
        SecretBytes(count: count) { out in
            let status = key.bytes.withPointer { key, keyCount in
                salt.withPointer { salt, saltCount in
                    info.withPointer { info, infoCount in
                        shim_hkdf_sha256(Algorithms.hkdf, key, keyCount, salt, saltCount, info, infoCount, out.baseAddress?.bytes, out.count)
                    }
                }
            }
            precondition(status == 1, "HKDF gives at most 8,160 bytes and wants a key that is not empty")
        }
    }
}

/// The counter-mode key derivation of SP 800-108 with HMAC-SHA-256, for one 256-bit key.
package enum KBKDF {
    /// Derives 32 bytes: HMAC over counter 1, `label`, a zero byte, `context` and the length 256.
    ///
    /// With one block of output the construction is a single HMAC, so it is written as such: a scheduled ``HMACKey`` costs a
    /// fifth of OpenSSL's general KDF object. Equal to `EVP_KDF` "KBKDF" by test.
    package static func derive(key: HMACKey, label: RawSpan, context: RawSpan) -> SecretBytes {
        var input: [UInt8] = []
        input.reserveCapacity(label.byteCount + context.byteCount + 9)
        input.append(contentsOf: [0, 0, 0, 1])
        label.withUnsafeBytes { input.append(contentsOf: $0) }
        input.append(0)
        context.withUnsafeBytes { input.append(contentsOf: $0) }
        input.append(contentsOf: [0, 0, 1, 0])
        let derived = key.authenticate(input.span.bytes)
        return derived.withUnsafeBytes { SecretBytes(copying: $0) }
    }
}
