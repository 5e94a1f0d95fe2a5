internal import COpenSSL

/// Why a certificate or a key could not be read, made or trusted.
package struct CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller can tell apart.
    package enum Code: Hashable, Sendable {
        /// The PEM text holds no such object, or a broken one.
        case malformed
        /// A name, an address or a validity that cannot stand in a certificate.
        case invalidField
        /// The private key does not belong to the certificate.
        case keyMismatch
        /// The certificate is not to be trusted; the number is OpenSSL's `X509_V_ERR_…`
        /// (10 expired, 20 unknown issuer, 26 wrong purpose, 62 wrong name).
        case rejected(verifyResult: Int)
        /// OpenSSL refused an operation on sound input.
        case failed
    }

    /// What kind of failure it is.
    package var code: Code
    /// What was being done.
    package var operation: String
    /// OpenSSL's own text; never key material.
    package var reason: String

    /// For a log line or an operator: what was being done, and OpenSSL's text.
    package var description: String { reason.isEmpty ? operation : "\(operation): \(reason)" }

    /// Drains the thread's error queue, so it must be made right after the call that failed.
    static func last(_ code: Code, _ operation: StaticString) -> CertificateError {
        CertificateError(code: code, operation: "\(operation)", reason: ErrorQueue.drain().reason)
    }

    static func rejected(_ result: CInt) -> CertificateError {
        CertificateError(
            code: .rejected(verifyResult: Int(result)), operation: "certificate verification",
            reason: String(cString: X509_verify_cert_error_string(Int(result))))
    }
}
