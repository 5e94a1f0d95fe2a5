internal import COpenSSL

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    /// The digest of `data`. Safe from any thread.
    package static func hash(_ data: RawSpan) -> Digest {
        Digest { out in
            let status = data.withPointer { shim_sha256(Algorithms.sha256, $0, $1, out.baseAddress?.bytes) }
            precondition(status == 1, "SHA-256 of bytes in memory cannot fail")
        }
    }
}

/// SHA-256 over data that arrives in pieces. Belongs to one thread at a time.
package struct SHA256Hasher: ~Copyable, @unchecked Sendable { // the context has one owner, this noncopyable value
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("the system has no memory left") }
        self.context = context
        precondition(EVP_DigestInit_ex(context, Algorithms.sha256, nil) == 1, "a fetched digest always starts")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in `data` after what came before.
    package mutating func update(_ data: RawSpan) {
        let status = data.withPointer { EVP_DigestUpdate(context, $0, $1) }
        precondition(status == 1, "SHA-256 of bytes in memory cannot fail")
    }

    /// The digest of everything taken in; the hasher then starts again from nothing.
    package mutating func finalize() -> Digest {
        let digest = Digest { out in
            precondition(EVP_DigestFinal_ex(context, out.baseAddress?.bytes, nil) == 1, "a started digest always ends")
        }
        precondition(EVP_DigestInit_ex(context, Algorithms.sha256, nil) == 1, "a fetched digest always starts")
        return digest
    }
}
