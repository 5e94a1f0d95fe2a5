import PeerLinks
import Raft
import Testing

@Suite("The identity in a certificate")
struct PeerIdentityTests {
    @Test("what is written is read back", arguments: [("a", 0), ("prod-7", 1), (String(repeating: "z", count: 63), UInt64.max)] as [(String, UInt64)])
    func roundTrip(cluster: String, node: UInt64) throws {
        let identity = try #require(PeerIdentity(cluster: cluster, node: NodeID(node)))
        #expect(identity.uri == "conclave://\(cluster)/node/\(node)")
        #expect(PeerIdentity(uri: identity.uri) == identity)
    }

    @Test(
        "any other text is refused",
        arguments: [
            "", "conclave://", "conclave://a", "conclave://a/", "conclave://a/node/", "conclave:///node/1", "conclave://a/node/01",
            "conclave://a/node/+1",
            "conclave://a/node/-1", "conclave://a/node/1/", "conclave://a/node/1?x", "conclave://a/nodes/1", "conclave://A/node/1",
            "CONCLAVE://a/node/1", "spiffe://a/node/1", "conclave://a b/node/1", "conclave://a/b/node/1", " conclave://a/node/1",
            "conclave://a/node/18446744073709551616", "conclave://é/node/1", "conclave://a/node/١",
            "conclave://\(String(repeating: "a", count: 64))/node/1",
        ])
    func refused(text: String) {
        #expect(PeerIdentity(uri: text) == nil)
    }

    @Test("a name that could not stand in a certificate is no cluster id", arguments: ["", "A", "a/b", "a.b", "a\u{301}", "ü"])
    func clusterID(cluster: String) {
        #expect(PeerIdentity(cluster: cluster, node: NodeID(1)) == nil)
    }
}
