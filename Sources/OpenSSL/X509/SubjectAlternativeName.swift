internal import COpenSSL
internal import Glibc

/// One name that a certificate vouches for (RFC 5280 section 4.2.1.6).
package enum SubjectAlternativeName: Hashable, Sendable {
    /// A host name in ASCII, perhaps with a leading `*.`.
    case dns(String)
    /// An IPv4 or IPv6 address in its usual text form.
    case ip(String)
    /// A URI, such as `spiffe://cluster/node/id`.
    case uri(String)
}

extension SubjectAlternativeName {
    /// Longest DNS name, in bytes (RFC 1035 section 2.3.4).
    static let dnsBytesMax = 253
    /// Longest URI we put into a certificate, in bytes (the SPIFFE ID specification, section 2.3).
    static let uriBytesMax = 2048

    /// Adds this name to `names`, which then owns it.
    func append(to names: OpaquePointer) throws(CertificateError) {
        ErrorQueue.clear()
        guard let value = encodedValue() else {
            throw CertificateError(code: .invalidField, operation: "subject alternative name", reason: "not a valid name: \(self)")
        }
        guard let name = GENERAL_NAME_new() else { throw .last(.failed, "subject alternative name") }
        GENERAL_NAME_set0_value(name, value.kind, value.string)
        guard shim_general_names_push(names, name) == 1 else {
            GENERAL_NAME_free(name)
            throw .last(.failed, "subject alternative name")
        }
    }

    /// The ASN.1 string for this name, owned by the caller; `nil` when the text is not a name of its kind.
    private func encodedValue() -> (kind: CInt, string: UnsafeMutablePointer<ASN1_STRING>)? {
        switch self {
        case .dns(let text):
            // Letters, digits, hyphen, dot, underscore and a wildcard: no byte that could end one name and begin another.
            let isName = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
                    true
                default: false
                }
            }
            guard isName, (1...Self.dnsBytesMax).contains(text.utf8.count) else { return nil }
            return ia5(text).map { (GEN_DNS, $0) }
        case .uri(let text):
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), (1...Self.uriBytesMax).contains(text.utf8.count) else { return nil }
            return ia5(text).map { (GEN_URI, $0) }
        case .ip(let text):
            return a2i_IPADDRESS(text).map { (GEN_IPADD, $0) }
        }
    }

    private func ia5(_ text: String) -> UnsafeMutablePointer<ASN1_STRING>? {
        guard let string = ASN1_STRING_type_new(V_ASN1_IA5STRING) else { return nil }
        var text = text
        let status = text.withUTF8 { ASN1_STRING_set(string, $0.baseAddress, CInt($0.count)) }
        guard status == 1 else {
            ASN1_STRING_free(string)
            return nil
        }
        return string
    }

    /// The name at `pointer`; `nil` for kinds that we do not use (e-mail, directory names).
    init?(_ pointer: UnsafeMutablePointer<GENERAL_NAME>) {
        var kind: CInt = 0
        guard let value = GENERAL_NAME_get0_value(pointer, &kind)?.assumingMemoryBound(to: ASN1_STRING.self) else { return nil }
        guard kind == GEN_DNS || kind == GEN_URI || kind == GEN_IPADD else { return nil }
        let bytes = UnsafeRawBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value)))
        switch kind {
        case GEN_DNS: self = .dns(String(decoding: bytes, as: UTF8.self))
        case GEN_URI: self = .uri(String(decoding: bytes, as: UTF8.self))
        default:
            guard let text = addressText(bytes) else { return nil }
            self = .ip(text)
        }
    }
}

/// The text form of an IPv4 (4 bytes) or IPv6 (16 bytes) address.
private func addressText(_ bytes: UnsafeRawBufferPointer) -> String? {
    let family: CInt
    switch bytes.count {
    case 4: family = AF_INET
    case 16: family = AF_INET6
    default: return nil
    }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        guard let start = inet_ntop(family, bytes.baseAddress, text.baseAddress, socklen_t(text.count)) else { return nil }
        return String(cString: start)
    }
}
