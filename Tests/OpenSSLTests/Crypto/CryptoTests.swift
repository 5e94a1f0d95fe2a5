import NIOCore
import Testing

@testable import OpenSSL

private func bytes(_ hex: String) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt8?
    for digit in hex.utf8 where digit != UInt8(ascii: " ") {
        guard let nibble = UInt8(String(UnicodeScalar(digit)), radix: 16) else { preconditionFailure("'\(hex)' is not hexadecimal") }
        if let first = high {
            result.append(first << 4 | nibble)
            high = nil
        } else {
            high = nibble
        }
    }
    return result
}

private func secret(_ hex: String) -> SecretBytes { SecretBytes(copying: bytes(hex).span.bytes) }
private func reveal(_ secret: SecretBytes) -> [UInt8] { secret.withUnsafeBytes { [UInt8]($0) } }

@Suite("SHA-256 (FIPS 180-4)")
struct SHA256Tests {
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test("the standard's messages give the standard's digests", arguments: vectors)
    func knownAnswers(message: String, digest: String) {
        #expect(SHA256.hash(message.utf8.span.bytes).hex == digest)
    }

    @Test("pieces give the digest of the whole, and the hasher starts anew")
    func pieces() {
        var hasher = SHA256Hasher()
        for _ in 0..<2 {
            hasher.update("ab".utf8.span.bytes)
            hasher.update(RawSpan())
            hasher.update("c".utf8.span.bytes)
            #expect(hasher.finalize().hex == Self.vectors[1].1)
        }
    }
}

@Suite("HMAC-SHA-256 (RFC 4231)")
struct HMACTests {
    static let vectors: [(key: String, data: String, tag: String)] = [
        (
            String(repeating: "0b", count: 20), "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ]

    @Test("the RFC's cases", arguments: vectors)
    func knownAnswers(key: String, data: String, tag: String) {
        let key = HMACKey(bytes(key).span.bytes)
        #expect(key.authenticate(bytes(data).span.bytes).hex == tag)
        #expect(key.authenticate(bytes(data).span.bytes).hex == tag, "a key works more than once")
    }
}

@Suite("AES-256-GCM (SP 800-38D)")
struct AESGCMTests {
    /// Cases 13 to 16 of the GCM specification.
    static let vectors: [(key: String, nonce: String, plaintext: String, aad: String, sealed: String)] = [
        (String(repeating: "0", count: 64), String(repeating: "0", count: 24), "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            String(repeating: "0", count: 64), String(repeating: "0", count: 24), String(repeating: "0", count: 32), "",
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ]

    @Test("the specification's cases, both ways", arguments: vectors)
    func knownAnswers(key: String, nonce: String, plaintext: String, aad: String, sealed: String) throws {
        var output: [UInt8] = [1, 2, 3]
        AESGCM.seal(
            bytes(plaintext).span.bytes, key: secret(key), nonce: bytes(nonce).span.bytes, aad: bytes(aad).span.bytes, appendingTo: &output)
        #expect(output == [1, 2, 3] + bytes(sealed))
        let opened = try AESGCM.open(
            bytes(sealed).span.bytes, key: secret(key), nonce: bytes(nonce).span.bytes, aad: bytes(aad).span.bytes)
        #expect(reveal(opened) == bytes(plaintext))
    }

    @Test("a key that is kept opens message after message, also after one that it refused")
    func openingKey() throws {
        for vector in Self.vectors {
            let key = AESGCM.OpeningKey(secret(vector.key))
            let sealed = bytes(vector.sealed)
            let plaintext = bytes(vector.plaintext)
            var altered = sealed
            altered[altered.count - 1] ^= 1
            var space = [UInt8](repeating: 0xEE, count: max(plaintext.count, 1))
            func open(_ sealed: [UInt8]) -> Bool {
                space.withUnsafeMutableBytes { space in
                    let count = try? key.open(
                        sealed.span.bytes, nonce: bytes(vector.nonce).span.bytes, aad: bytes(vector.aad).span.bytes, into: space)
                    return count == plaintext.count
                }
            }
            #expect(open(sealed) && Array(space.prefix(plaintext.count)) == plaintext)
            #expect(!open(altered) && space.allSatisfy { $0 == 0 })
            #expect(!open(Array(sealed.prefix(15))))
            #expect(open(sealed) && Array(space.prefix(plaintext.count)) == plaintext)
        }
        #expect(AESGCM.OpeningKey(SecretBytes.random(count: 32)).description == "<redacted>")
    }

    @Test("any flipped bit, and any truncation, is the same refusal")
    func alteration() {
        let vector = Self.vectors[2]
        let sealed = bytes(vector.sealed)
        func isRefused(_ sealed: [UInt8], aad: [UInt8]) -> Bool {
            do {
                _ = try AESGCM.open(sealed.span.bytes, key: secret(vector.key), nonce: bytes(vector.nonce).span.bytes, aad: aad.span.bytes)
                return false
            } catch { return error == .authenticationFailed }
        }
        let aad = bytes(vector.aad)
        #expect(!isRefused(sealed, aad: aad))
        for i in sealed.indices {
            var altered = sealed
            altered[i] ^= 1
            #expect(isRefused(altered, aad: aad))
            #expect(isRefused(Array(sealed.prefix(i)), aad: aad))
        }
        for i in aad.indices {
            var altered = aad
            altered[i] ^= 0x80
            #expect(isRefused(sealed, aad: altered))
        }
    }

    @Test("a refused message leaves nothing in the caller's buffer")
    func refusedIntoBuffer() {
        let vector = Self.vectors[2]
        var sealed = bytes(vector.sealed)
        sealed[sealed.count - 1] ^= 1
        var destination = [UInt8](repeating: 0xee, count: 60)
        #expect(throws: CryptoError.authenticationFailed) {
            try destination.withUnsafeMutableBytes {
                _ = try AESGCM.open(
                    sealed.span.bytes, key: secret(vector.key), nonce: bytes(vector.nonce).span.bytes, aad: bytes(vector.aad).span.bytes, into: $0)
            }
        }
        #expect(destination == [UInt8](repeating: 0, count: 60))
    }
}

@Suite("Key derivation")
struct KeyDerivationTests {
    @Test("HKDF: case 1 of RFC 5869")
    func hkdf() {
        let derived = HKDF.derive(
            from: secret(String(repeating: "0b", count: 22)), salt: bytes("000102030405060708090a0b0c").span.bytes,
            info: bytes("f0f1f2f3f4f5f6f7f8f9").span.bytes, count: 42)
        #expect(reveal(derived) == bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    }

    @Test("HKDF: case 3 of RFC 5869, without salt and info")
    func hkdfBare() {
        let derived = HKDF.derive(from: secret(String(repeating: "0b", count: 22)), salt: RawSpan(), info: RawSpan(), count: 42)
        #expect(reveal(derived) == bytes("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
    }

    /// The figure was made with `openssl kdf KBKDF` and by an independent program.
    @Test("KBKDF in counter mode equals OpenSSL's")
    func kbkdf() {
        let key = HMACKey(secret((0..<32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()))
        let context = [UInt8](0xa0...0xaf)
        let derived = KBKDF.derive(key: key, label: "secretd-kek-v1".utf8.span.bytes, context: context.span.bytes)
        #expect(reveal(derived) == bytes("6697ec0ffcd5d525f419a6b3b91473788cb3dc5091fe02910956c70d9d48bf07"))
    }
}

@Suite("Secret bytes")
struct SecretBytesTests {
    @Test("show nothing when printed, interpolated, dumped or mirrored")
    func redaction() {
        struct Holder { let value: SecretBytes }
        let value = SecretBytes(copying: "correct horse".utf8.span.bytes)
        var dumped = ""
        dump(Holder(value: value), to: &dumped)
        for text in ["\(value)", String(reflecting: value), String(describing: Holder(value: value)), dumped] {
            #expect(!text.contains("correct") && !text.contains("horse"))
        }
        #expect("\(value)" == "<redacted>")
        #expect("\(HMACKey(value))" == "<redacted>")
    }

    @Test("what the initialiser leaves unwritten is zero, short or long", arguments: [0, 1, 32, 64, 65, 4096])
    func zeroed(count: Int) {
        let value = SecretBytes(count: count) { _ in }
        #expect(value.count == count)
        #expect(value.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
    }

    @Test("random keys differ")
    func random() {
        #expect(reveal(.random(count: 32)) != reveal(.random(count: 32)))
    }

    @Test("are zeroed when released")
    func zeroedOnRelease() {
        // The arena stays mapped, so the place of a freed key can still be looked at. OpenSSL keeps list links in the first half.
        var key: SecretBytes? = SecretBytes(count: 32) { $0.initializeMemory(as: UInt8.self, repeating: 0xab) }
        let place = key?.withUnsafeBytes { $0 }
        #expect(place?.suffix(16).allSatisfy { $0 == 0xab } == true)
        key = nil
        #expect(place?.suffix(16).contains(0xab) == false)
    }

    @Test("a wiped buffer is zero through every reference to its storage")
    func byteBuffer() {
        let buffer = ByteBuffer(string: "correct horse")
        buffer.wipe()
        #expect(buffer.readableBytesView.allSatisfy { $0 == 0 })
    }
}

@Suite("Digests")
struct DigestTests {
    @Test("read back from their hexadecimal form, and only from it")
    func hex() {
        let digest = SHA256.hash("abc".utf8.span.bytes)
        #expect(Digest(hex: digest.hex.utf8.span.bytes) == digest)
        #expect(Digest(hex: digest.hex.uppercased().utf8.span.bytes) == nil)
        #expect(Digest(hex: String(digest.hex.dropLast()).utf8.span.bytes) == nil)
        #expect(Digest(hex: (digest.hex + "0").utf8.span.bytes) == nil)
        #expect(Digest(hex: ("g" + digest.hex.dropFirst()).utf8.span.bytes) == nil)
        #expect(Digest(bytes32: digest.bytes.span.bytes) == digest)
    }

    @Test("constant-time comparison sees a difference at any place")
    func comparison() {
        let a = SecureRandom.bytes(32)
        func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { isEqualInConstantTime(a.span.bytes, b.span.bytes) }
        #expect(areEqual(a, a))
        #expect(areEqual([], []))
        #expect(!areEqual(a, []))
        for i in a.indices {
            var b = a
            b[i] ^= 1
            #expect(!areEqual(a, b))
            #expect(!Digest(bytes32: a.span.bytes).isEqualInConstantTime(to: Digest(bytes32: b.span.bytes)))
        }
    }
}
