import NIOCore
import Raft
import Testing

@testable import Node

@Suite("One process speaks for a node")
struct IdentityClaimsTests {
    private let node = NodeID(2)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func claim(_ incarnation: UInt64, _ nonce: UInt64) -> IdentityClaims.Claim { .init(incarnation: incarnation, nonce: nonce) }

    @Test("the first keeps its place while it goes on, whatever counter a copy has")
    func copy() throws {
        var claims = IdentityClaims()
        try claims.note(claim(4, 1), of: node, at: start)
        for incarnation in [UInt64(3), 4, 5] {
            #expect(throws: IdentityClaims.Refusal.otherProcess) { try claims.note(claim(incarnation, 2), of: node, at: start + .seconds(2)) }
        }
        try claims.note(claim(4, 1), of: node, at: start + .seconds(2))
        #expect(throws: IdentityClaims.Refusal.otherProcess) { try claims.note(claim(5, 2), of: node, at: start + .seconds(4)) }
    }

    @Test("a restart takes the place of a process that is gone")
    func restart() throws {
        var claims = IdentityClaims()
        try claims.note(claim(4, 1), of: node, at: start)
        try claims.note(claim(5, 2), of: node, at: start + .seconds(4))
        try claims.note(claim(5, 2), of: node, at: start + .seconds(5))
    }

    @Test("a restart need not wait when the link to the old process broke")
    func released() throws {
        var claims = IdentityClaims()
        try claims.note(claim(4, 1), of: node, at: start)
        claims.release(node)
        try claims.note(claim(5, 2), of: node, at: start + .milliseconds(10))
        #expect(throws: IdentityClaims.Refusal.otherProcess) { try claims.note(claim(6, 3), of: node, at: start + .milliseconds(20)) }
    }

    @Test("a disk that went back in time is refused")
    func backup() throws {
        var claims = IdentityClaims()
        try claims.note(claim(4, 1), of: node, at: start)
        for incarnation in [UInt64(2), 4] {
            #expect(throws: IdentityClaims.Refusal.olderLife) { try claims.note(claim(incarnation, 2), of: node, at: start + .seconds(60)) }
        }
        // Other nodes are none of its business.
        try claims.note(claim(1, 3), of: NodeID(3), at: start + .seconds(60))
    }
}
