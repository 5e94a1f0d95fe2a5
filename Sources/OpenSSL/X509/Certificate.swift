internal import COpenSSL
internal import Glibc

/// One X.509 certificate. Public data: it may be printed, stored and sent.
///
/// Sendable: an `X509` is never changed after it is made; OpenSSL counts its references atomically and fills its caches under its own lock.
package final class Certificate: @unchecked Sendable {
    /// Most certificates that one PEM text may hold: generous for a bundle of public authorities, small enough for an honest mistake to end.
    package static let bundleCountMax = 1024

    let pointer: OpaquePointer

    /// Takes over one reference to `pointer`.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { X509_free(pointer) }

    /// Reads the first certificate of `pem`.
    ///
    /// - Throws: ``CertificateError`` with `malformed`.
    package convenience init(pem: String) throws(CertificateError) {
        self.init(owning: try Self.readPEM(pem, countMax: 1)[0])
    }

    /// Reads every certificate of `pem`, in order: a chain (the leaf first) or a bundle of authorities. Never empty.
    ///
    /// - Throws: ``CertificateError`` with `malformed`, also when there is none or more than ``bundleCountMax``.
    package static func bundle(pem: String) throws(CertificateError) -> [Certificate] {
        let pointers = try readPEM(pem, countMax: bundleCountMax + 1)
        let certificates = pointers.map { Certificate(owning: $0) }
        guard certificates.count <= bundleCountMax else {
            throw CertificateError(code: .malformed, operation: "reading certificates", reason: "more than \(bundleCountMax)")
        }
        return certificates
    }

    /// The certificates of `pem`, at least one; the caller owns them.
    private static func readPEM(_ pem: String, countMax: Int) throws(CertificateError) -> [OpaquePointer] {
        ErrorQueue.clear()
        var pem = pem
        var isComplete = false
        let pointers = pem.withUTF8 { bytes -> [OpaquePointer] in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return [] }
            defer { BIO_free(bio) }
            var pointers: [OpaquePointer] = []
            while pointers.count < countMax {
                guard let pointer = PEM_read_bio_X509(bio, nil, noPassphrase, nil) else {
                    // "No start line" is how the end of the text looks; any other error is a broken certificate.
                    isComplete = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
                    break
                }
                pointers.append(pointer)
            }
            isComplete = isComplete || pointers.count == countMax
            return pointers
        }
        guard isComplete, !pointers.isEmpty else {
            for pointer in pointers { X509_free(pointer) }
            throw .last(.malformed, "reading a certificate")
        }
        ErrorQueue.clear()
        return pointers
    }

    /// PEM text of this certificate.
    package var pem: String {
        guard let bio = BIO_new(BIO_s_mem()) else { preconditionFailure("the system has no memory left") }
        defer { BIO_free(bio) }
        precondition(PEM_write_bio_X509(bio, pointer) == 1, "a parsed certificate can be written")
        var count = 0
        let start = shim_bio_bytes(bio, &count)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Seconds since 1970 from which the certificate holds.
    package var notBefore: Int64 { seconds(X509_get0_notBefore(pointer)) }
    /// Seconds since 1970 at which the certificate stops to hold.
    package var notAfter: Int64 { seconds(X509_get0_notAfter(pointer)) }

    private func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var parts = tm()
        // A parsed certificate has two well-formed times; the past is the safe answer for one that has not.
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
        return Int64(timegm(&parts))
    }

    /// Whether the certificate may sign others (basicConstraints CA:TRUE).
    package var isAuthority: Bool { X509_check_ca(pointer) == 1 }

    /// The common name of the subject, where there is one.
    package var commonName: String? {
        let subject = X509_get_subject_name(pointer)
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)) else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value))), as: UTF8.self)
    }

    /// The serial number, big-endian, without sign: at most 20 bytes (RFC 5280 section 4.1.2.2).
    package var serialNumber: [UInt8] {
        let value = X509_get0_serialNumber(pointer)
        return [UInt8](UnsafeRawBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value))))
    }

    /// The DNS, IP and URI names, in order. Other kinds are left out.
    package var names: [SubjectAlternativeName] {
        guard let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(raw)
        defer { shim_general_names_free(list) }
        return (0..<shim_general_names_count(list)).compactMap { index in
            shim_general_names_get(list, index).flatMap { SubjectAlternativeName($0) }
        }
    }

    /// The URI names, in order; a node of a cluster has exactly one.
    package var uris: [String] {
        names.compactMap { if case .uri(let text) = $0 { text } else { nil } }
    }

    /// SHA-256 of the whole certificate in DER: names exactly this one.
    package var sha256: Digest {
        var der: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(pointer, &der)
        guard let der, count > 0 else { preconditionFailure("a parsed certificate can be written") }
        defer { shim_clear_free(der, Int(count)) }
        return SHA256.hash(UnsafeRawBufferPointer(start: der, count: Int(count)).bytes)
    }

    /// SHA-256 of the SubjectPublicKeyInfo in DER: what a pin is compared with (RFC 7469 section 2.4).
    package var publicKeySHA256: Digest {
        var der: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), &der)
        guard let der, count > 0 else { preconditionFailure("a parsed certificate has a public key") }
        defer { shim_clear_free(der, Int(count)) }
        return SHA256.hash(UnsafeRawBufferPointer(start: der, count: Int(count)).bytes)
    }
}
