internal import COpenSSL

/// What a certificate may be used for (extended key usage, RFC 5280 section 4.2.1.12).
package enum CertificatePurpose: Hashable, Sendable {
    /// The server's side of TLS.
    case serverAuthentication
    /// The client's side of TLS.
    case clientAuthentication

    /// OpenSSL's number for the check of this purpose.
    var check: CInt {
        switch self {
        case .serverAuthentication: X509_PURPOSE_SSL_SERVER
        case .clientAuthentication: X509_PURPOSE_SSL_CLIENT
        }
    }
}

/// The name that the other side must prove to have.
package enum PeerName: Hashable, Sendable {
    /// A DNS name, or an IPv4 or IPv6 address in text.
    case host(String)
    /// The one URI name of a node, `spiffe://<cluster>/node/<node>`, compared byte for byte.
    case uri(String)
}

extension Certificate {
    /// Longest chain between a leaf and its authority, in intermediate certificates.
    static let chainDepthMax: CInt = 2

    /// Checks that one of `authorities` vouches for this certificate at the time `now`, for `purpose` and, where given, for `name`.
    ///
    /// - Parameters:
    ///   - intermediates: Certificates that may stand between; not trusted by themselves.
    ///   - now: Seconds since 1970.
    /// - Throws: ``CertificateError`` with `rejected` and OpenSSL's number for the reason.
    package func verify(
        against authorities: [Certificate], intermediates: [Certificate] = [], for purpose: CertificatePurpose, name: PeerName? = nil, now: Int64
    ) throws(CertificateError) {
        ErrorQueue.clear()
        guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new(), let untrusted = shim_certificates_new() else {
            preconditionFailure("the system has no memory left")
        }
        defer {
            X509_STORE_CTX_free(context)
            shim_certificates_free(untrusted)
            X509_STORE_free(store)
        }
        for authority in authorities {
            guard X509_STORE_add_cert(store, authority.pointer) == 1 else { throw .last(.failed, "adding an authority") }
        }
        for certificate in intermediates {
            guard shim_certificates_push(untrusted, certificate.pointer) == 1 else { throw .last(.failed, "adding an intermediate") }
        }
        guard X509_STORE_CTX_init(context, store, pointer, untrusted) == 1, let parameters = X509_STORE_CTX_get0_param(context) else {
            throw .last(.failed, "certificate verification")
        }
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_X509_STRICT))
        X509_VERIFY_PARAM_set_purpose(parameters, purpose.check)
        X509_VERIFY_PARAM_set_depth(parameters, Self.chainDepthMax)
        X509_VERIFY_PARAM_set_time(parameters, Int(now))
        if case .host(let host)? = name {
            X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
            // An address is compared with the IP names, everything else with the DNS names.
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 || X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1 else {
                throw .last(.invalidField, "name to verify")
            }
        }
        let isVerified = X509_verify_cert(context) == 1
        let result = X509_STORE_CTX_get_error(context)
        ErrorQueue.clear()
        guard isVerified else { throw .rejected(result == X509_V_OK ? X509_V_ERR_UNSPECIFIED : result) }
        if case .uri(let uri)? = name, !isNamed(uri: uri) { throw .rejected(X509_V_ERR_HOSTNAME_MISMATCH) }
    }

    /// Whether `uri` is the certificate's only URI name. Two URIs would leave open which node it is.
    func isNamed(uri: String) -> Bool {
        let uris = uris
        return uris.count == 1 && uris[0].utf8.elementsEqual(uri.utf8)
    }
}
