internal import Keyring
internal import NIOCore
package import OpenSSL
package import Raft
package import SecretStore

/// When a certificate is renewed: once two thirds of its time are over.
package enum CertificateRenewal {
    /// Seconds since 1970 from which a renewal is due.
    package static func time(for certificate: Certificate) -> Int64 {
        certificate.notBefore + (certificate.notAfter - certificate.notBefore) / 3 * 2
    }

    /// - Parameter now: Seconds since 1970.
    package static func isDue(_ certificate: Certificate, now: Int64) -> Bool { now >= time(for: certificate) }
}

/// What a node asks of any other, over its authenticated link, for its next certificate.
///
/// It makes a new key first, keeps it, and asks with the same key until it gets an answer.
package struct RenewalRequest: Equatable, Sendable {
    /// ``CertificateRequest`` for the new key, in DER.
    package var certificateRequest: [UInt8]

    package init(certificateRequest: [UInt8]) { self.certificateRequest = certificateRequest }

    package func encode() -> [UInt8] { certificateRequest }

    /// - Returns: nil for more bytes than any request has.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count <= CertificateRequest.byteCountMax else { return nil }
        certificateRequest = bytes
    }
}

/// The answer to a ``RenewalRequest``.
package enum RenewalAnswer: Equatable, Sendable {
    /// Node certificate and authority, in PEM.
    case granted(certificatePEM: String, authorityPEM: String)
    case refused(RenewalRefusal)

    private static let textBytesMax = 16_384

    package func encode() -> [UInt8] {
        var buffer = ByteBuffer()
        switch self {
        case .granted(let certificate, let authority):
            buffer.writeInteger(UInt8(0))
            buffer.writeField(certificate)
            buffer.writeField(authority)
        case .refused(let refusal): buffer.writeInteger(refusal.rawValue)
        }
        return Array(buffer.readableBytesView)
    }

    /// - Returns: nil for bytes that ``encode()`` cannot have made.
    package init?(decoding bytes: [UInt8]) {
        var reader = FieldReader(ByteBuffer(bytes: bytes))
        do throws(MalformedMessage) {
            let code = try reader.number(UInt8.self)
            if code == 0 {
                self = .granted(certificatePEM: try reader.text(max: Self.textBytesMax), authorityPEM: try reader.text(max: Self.textBytesMax))
            } else {
                guard let refusal = RenewalRefusal(rawValue: code) else { return nil }
                self = .refused(refusal)
            }
            try reader.finish()
        } catch {
            return nil
        }
    }
}

/// Why a certificate is not renewed. The raw value is what goes over the wire.
package enum RenewalRefusal: UInt8, Error, Sendable, CustomStringConvertible {
    case malformed = 1
    case notAMember = 2
    case keyInUse = 3
    case unavailable = 4

    package var description: String {
        switch self {
        case .malformed: "the certificate request cannot be read; run the same version of conclave on all nodes"
        case .notAMember: "this node is not, or no longer, a member of the cluster; give it a new data directory and let it join anew"
        case .keyInUse: "the new key belongs to another node; make another one"
        case .unavailable: "the cluster cannot change its registry now; the node tries again by itself"
        }
    }
}

/// Renews certificates of nodes: publishes the new key in the registry, then issues the certificate.
///
/// Both keys are admitted from then on, so the node may switch when it likes.
package struct RenewalService: Sendable {
    private let store: SecretStore
    private let now: @Sendable () -> Timestamp
    private let propose: ClusterProposer

    package init(store: SecretStore, now: @escaping @Sendable () -> Timestamp, propose: @escaping ClusterProposer) {
        self.store = store
        self.now = now
        self.propose = propose
    }

    /// - Parameters:
    ///   - node: The node that its certificate on this link names.
    ///   - shownKey: The public key of that certificate.
    package func renew(_ request: RenewalRequest, node: NodeID, shownKey: Digest) async -> RenewalAnswer {
        let verified: CertificateRequest
        do throws(CertificateError) {
            verified = try CertificateRequest(verifying: request.certificateRequest)
        } catch {
            return .refused(.malformed)
        }
        let change = UpdateNode.KeyChange(current: shownKey, next: verified.publicKeySHA256)
        do {
            switch try await propose(.updateNode(UpdateNode(id: node, keys: change))) {
            case .done: break
            case .failed(.cluster(.nodeKeyTaken)): return .refused(.keyInUse)
            case .failed(.cluster(.nodeNotFound)), .failed(.cluster(.nodeRemoved)), .failed(.cluster(.nodeKeyUnknown)),
                .failed(.cluster(.clusterNotFound)):
                return .refused(.notAMember)
            default: return .refused(.unavailable)
            }
            guard let record = try store.clusterRecord() else { return .refused(.unavailable) }
            let authority = try ClusterAuthority(record, keyring: store.keyring)
            let certificate = try authority.nodeCertificate(for: node, request: verified, now: now().millisecondsSince1970 / 1_000)
            return .granted(certificatePEM: certificate.pem, authorityPEM: record.authorityPEM)
        } catch {
            return .refused(.unavailable)
        }
    }
}

/// Puts a change of the registry through the cluster's log. Returns once it is applied *and* visible to queries of this node's store;
/// throws when that cannot be (no leader, no space, the node is stopping), also when the change may have happened all the same.
package typealias ClusterProposer = @Sendable (ClusterCommand) async throws -> Outcome
