import Testing

@testable import Access

/// No request that differs from a signed one in one bit may pass.
struct MutationTests {
    /// What the verifier accepts of the table. Lines that clients do not sign are left out: they may change by definition.
    static let accepted = (SignedRequestTable.headerForm + SignedRequestTable.presigned).filter { row in
        row.request["user-agent"] == nil && verifier.verdict(row.request).isAccepted
    }

    static let verifier = Example.verifier(service: "service")

    @Test(arguments: SignedRequestTable.headerForm + SignedRequestTable.presigned)
    func `requests of the table are accepted, except for a reason`(_ row: SignedRequest) {
        switch Self.verifier.verdict(row.request) {
        case .accepted(let principal): #expect(principal.accessKeyID == Example.keyID && row.request.path == "/")
        case .refused(.refused(.wrongPath)): #expect(row.request.path != "/")
        case .refused(.invalidSessionToken): #expect(row.name.contains("session token"))
        case let verdict: Issue.record("\(verdict)")
        }
    }

    @Test func `most of the table is there to be mutated`() { #expect(Self.accepted.count >= 30) }

    @Test(arguments: accepted)
    func `no mutant in the lowest bit of a byte is accepted`(_ row: SignedRequest) {
        let wire = row.request.bytes
        var survivors: [String] = []
        for i in wire.indices {
            var mutant = wire
            mutant[i] ^= 1
            if Self.verifier.verdict(mutant).isAccepted { survivors.append("byte \(i): \(mutant[i])") }
        }
        #expect(survivors == [])
    }

    /// Bit 5 is left out: it turns upper case into lower case, which header names and percent encoding do not distinguish.
    @Test(arguments: accepted.filter { ["post JSON", "two lines of one name", "presigned POST"].contains($0.name) })
    func `no mutant in any other bit is accepted`(_ row: SignedRequest) {
        let wire = row.request.bytes
        var survivors: [String] = []
        for i in wire.indices {
            for bit in [1, 2, 3, 4, 6, 7] {
                var mutant = wire
                mutant[i] ^= 1 << UInt8(bit)
                if Self.verifier.verdict(mutant).isAccepted { survivors.append("byte \(i), bit \(bit)") }
            }
        }
        #expect(survivors == [])
    }

    /// Taking a byte out or doubling it. Blanks between the parameters of `Authorization` and around values mean nothing.
    @Test(arguments: accepted.filter { ["post JSON", "presigned POST"].contains($0.name) })
    func `no mutant with a byte more or less is accepted, but for blanks that mean nothing`(_ row: SignedRequest) {
        let wire = row.request.bytes
        var survivors: [UInt8] = []
        for i in wire.indices {
            var shorter = wire
            shorter.remove(at: i)
            if Self.verifier.verdict(shorter).isAccepted { survivors.append(wire[i]) }
            if Self.verifier.verdict(wire[...i] + wire[i...]).isAccepted { survivors.append(wire[i]) }
        }
        let separators = Set(" ,&".utf8)
        #expect(survivors.allSatisfy(separators.contains))
    }
}

extension RequestVerifier {
    fileprivate func verdict(_ wire: ArraySlice<UInt8>) -> Verdict { verdict(Array(wire)) }
}
