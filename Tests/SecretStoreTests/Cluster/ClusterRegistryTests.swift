import OpenSSL
import struct Raft.NodeID
import Testing

@testable import SecretStore

private func refused(_ failure: ClusterFailure) -> Outcome { .failed(.cluster(failure)) }

@Suite("The registry of nodes")
struct ClusterRegistryTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        try #require(try fixture.createCluster() == .node(NodeID(1)))
    }

    @Test("a cluster is made once, with its first node")
    func creation() throws {
        #expect(try fixture.createCluster() == refused(.clusterAlreadyExists))
        let cluster = try #require(try fixture.store.clusterRecord())
        #expect(cluster.region == StoreFixture.scope.region && cluster.authorityPEM == "CA" && cluster.sealedAuthorityKey == [1, 2])
        #expect(cluster.nextNodeID == NodeID(2) && cluster.generation == 1)
        let node = try #require(try fixture.store.node(NodeID(1)))
        #expect(node.state == .active && node.publicKeys == [.of("first")] && node.peerAddress == .of("first.example:7000"))
        #expect(try fixture.store.nodes() == [node])
    }

    @Test("without a cluster there is nothing to join, to change or to remove")
    func noCluster() throws {
        let empty = try StoreFixture()
        #expect(try empty.createToken("t") == refused(.clusterNotFound))
        #expect(try empty.admit("a", token: "t") == refused(.clusterNotFound))
        #expect(try empty.cluster(.updateNode(UpdateNode(id: NodeID(1)))) == refused(.clusterNotFound))
        #expect(try empty.cluster(.removeNode(NodeID(1))) == refused(.clusterNotFound))
        #expect(try empty.store.clusterRegistry() == nil && empty.store.nodes().isEmpty)
    }

    // MARK: Tokens

    @Test("a token lets one node in; the same key gets the same answer again, another key none")
    func singleUse() throws {
        #expect(try fixture.createToken("t") == .done)
        #expect(try fixture.admit("a", token: "t") == .node(NodeID(2)))
        let generation = try fixture.store.clusterRecord()?.generation
        #expect(try fixture.admit("a", token: "t") == .node(NodeID(2)))
        #expect(try fixture.store.clusterRecord()?.generation == generation, "an answer given again changes nothing")
        #expect(try fixture.admit("b", token: "t") == refused(.joinTokenUsed))
        #expect(try fixture.store.nodes().map(\.id) == [NodeID(1), NodeID(2)])
    }

    @Test("unknown and expired tokens let nobody in; the last moment is not the expiry itself")
    func expiry() throws {
        #expect(try fixture.admit("a", token: "none") == refused(.joinTokenUnknown))
        let end = fixture.now.adding(milliseconds: 5_000)
        #expect(try fixture.cluster(.createJoinToken(hash: .of("t"), expiresAt: end)) == .done)
        #expect(try fixture.admit("a", token: "t", at: end) == refused(.joinTokenExpired))
        #expect(try fixture.admit("a", token: "t", at: Timestamp(millisecondsSince1970: end.millisecondsSince1970 - 1)) == .node(NodeID(2)))
        #expect(try fixture.admit("a", token: "t", at: end) == .node(NodeID(2)), "the lost answer of a node that was admitted in time")
    }

    @Test("tokens are forgotten a day behind their end, when the next is made")
    func purge() throws {
        let end = fixture.now.adding(milliseconds: 1_000)
        for token in ["t1", "t2"] { #expect(try fixture.cluster(.createJoinToken(hash: .of(token), expiresAt: end)) == .done) }
        #expect(try fixture.cluster(.createJoinToken(hash: .of("t3"), expiresAt: end.adding(days: 9)), at: end.adding(days: 1).adding(milliseconds: -1)) == .done)
        #expect(try fixture.rowCount("joinTokens") == 3)
        #expect(try fixture.cluster(.createJoinToken(hash: .of("t4"), expiresAt: end.adding(days: 9)), at: end.adding(days: 1)) == .done)
        #expect(try fixture.rowCount("joinTokens") == 2)
        #expect(try fixture.admit("a", token: "t1") == refused(.joinTokenUnknown))
        #expect(try fixture.admit("a", token: "t3") == .node(NodeID(2)))
    }

    @Test("the number of tokens is bounded, and no two have the same secret")
    func tokenLimits() throws {
        #expect(try fixture.createToken("0") == .done)
        #expect(try fixture.createToken("0") == refused(.joinTokenAlreadyExists))
        for number in 1..<Limits.joinTokensMax { #expect(try fixture.createToken("\(number)") == .done) }
        #expect(try fixture.createToken("more") == refused(.tooManyJoinTokens))
        #expect(try fixture.cluster(.createJoinToken(hash: .of("more"), expiresAt: fixture.now.adding(days: 9)), at: fixture.now.adding(days: 2)) == .done)
    }

    // MARK: Keys and removal

    @Test("no key serves two nodes")
    func takenKey() throws {
        #expect(try fixture.createToken("t") == .done)
        #expect(try fixture.admit("first", token: "t") == refused(.nodeKeyTaken(NodeID(1))))
        #expect(try fixture.admit("a", token: "t") == .node(NodeID(2)), "a refusal does not use up the token")
        let change = UpdateNode.KeyChange(current: .of("a"), next: .of("first"))
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: NodeID(2), keys: change))) == refused(.nodeKeyTaken(NodeID(1))))
    }

    @Test("a removed node stays removed, its key is refused, and its id is not given again")
    func removal() throws {
        #expect(try fixture.createToken("t") == .done)
        #expect(try fixture.admit("a", token: "t") == .node(NodeID(2)))
        #expect(try fixture.cluster(.removeNode(NodeID(2))) == .done)
        let removedAt = fixture.now
        #expect(try fixture.cluster(.removeNode(NodeID(2))) == .done)
        let node = try #require(try fixture.store.node(NodeID(2)))
        #expect(node.state == .removed(at: removedAt) && !node.admits(.of("a")))
        #expect(try fixture.admit("a", token: "t") == refused(.nodeRemoved(NodeID(2))))
        #expect(try fixture.createToken("u") == .done)
        #expect(try fixture.admit("a", token: "u") == refused(.nodeRemoved(NodeID(2))))
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: NodeID(2), version: "2"))) == refused(.nodeRemoved(NodeID(2))))
        #expect(try fixture.admit("b", token: "u") == .node(NodeID(3)))
        #expect(try fixture.cluster(.removeNode(NodeID(9))) == refused(.nodeNotFound(NodeID(9))))
    }

    @Test("the last active node cannot be removed")
    func lastNode() throws {
        #expect(try fixture.cluster(.removeNode(NodeID(1))) == refused(.lastNode))
        #expect(try fixture.createToken("t") == .done)
        #expect(try fixture.admit("a", token: "t") == .node(NodeID(2)))
        #expect(try fixture.cluster(.removeNode(NodeID(1))) == .done)
        #expect(try fixture.cluster(.removeNode(NodeID(2))) == refused(.lastNode))
    }

    @Test("a node may show its old key and the next one, and no third")
    func keyChange() throws {
        func change(_ current: String, _ next: String) throws -> Outcome {
            try fixture.cluster(.updateNode(UpdateNode(id: NodeID(1), keys: UpdateNode.KeyChange(current: .of(current), next: .of(next)))))
        }
        func keys() throws -> [Digest] { try fixture.store.node(NodeID(1))?.publicKeys ?? [] }
        #expect(try change("other", "second") == refused(.nodeKeyUnknown))
        #expect(try change("first", "lost") == .done)
        // The answer with the new certificate was lost: the node asks with the old key, for a key of its choice.
        #expect(try change("first", "second") == .done)
        #expect(try keys() == [.of("first"), .of("second")])
        #expect(try change("lost", "x") == refused(.nodeKeyUnknown))
        #expect(try change("second", "third") == .done)
        #expect(try keys() == [.of("second"), .of("third")])
        #expect(try change("third", "third") == .done)
        #expect(try keys() == [.of("third")])
    }

    @Test("addresses and version change one by one; an update that says nothing new changes nothing")
    func update() throws {
        let id = NodeID(1)
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: id, peerAddress: .of("[::1]:7001")))) == .done)
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: id, apiAddress: .of("10.0.0.1:443"), version: "2.0"))) == .done)
        let node = try #require(try fixture.store.node(id))
        #expect(node.peerAddress == .of("[::1]:7001") && node.apiAddress == .of("10.0.0.1:443") && node.version == "2.0")
        let registry = try #require(try fixture.store.clusterRegistry())
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: id, version: "2.0"))) == .done)
        #expect(try fixture.store.clusterRegistry() == registry)
        #expect(try fixture.cluster(.updateNode(UpdateNode(id: NodeID(5)))) == refused(.nodeNotFound(NodeID(5))))
    }

    @Test("every change of a node moves the generation on")
    func generation() throws {
        var generation = try #require(try fixture.store.clusterRecord()?.generation)
        #expect(try fixture.createToken("t") == .done)
        #expect(try fixture.store.clusterRecord()?.generation == generation)
        for command in [ClusterCommand.admitNode(tokenHash: .of("t"), .of("a")), .updateNode(UpdateNode(id: NodeID(2), version: "2")), .removeNode(NodeID(2))] {
            _ = try fixture.cluster(command)
            let next = try #require(try fixture.store.clusterRecord()?.generation)
            #expect(next == generation + 1)
            generation = next
        }
    }

    // MARK: Form

    @Test("addresses are read back as they are written", arguments: ["a:1", "node-1.example:65535", "127.0.0.1:443", "[2001:db8::1]:7000"])
    func addresses(text: String) {
        #expect(NodeAddress(text)?.description == text)
    }

    @Test("what is no address is refused", arguments: ["", "a", ":1", "a:", "a:0", "a:65536", "a:-1", "::1:7000", "a b:1", "a\n:1", "[]:1", "a/b:1", String(repeating: "a", count: 254) + ":1"])
    func badAddresses(text: String) {
        #expect(NodeAddress(text) == nil)
    }

    @Test("rows of the registry are sealed and come back as they were; their bytes are fixed")
    func rows() throws {
        let node = NodeRecord(
            id: NodeID(7), name: "n", peerAddress: .of("p:1"), apiAddress: .of("a:2"), publicKeys: [.of("abc")],
            addedAt: Timestamp(millisecondsSince1970: 3), state: .removed(at: Timestamp(millisecondsSince1970: 4)), version: "1")
        #expect(try NodeRecord(decoding: node.encode().span.bytes) == node)
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // SHA-256 of "abc" (FIPS 180-4)
        #expect(
            Self.hex(node.encode()) == "01" + "0000000000000007" + "01016e" + "01700001" + "01610002" + "01" + abc + "0000000000000003"
                + "01" + "0000000000000004" + "0131")
        let token = JoinTokenRecord(
            createdAt: Timestamp(millisecondsSince1970: 1), expiresAt: Timestamp(millisecondsSince1970: 2),
            use: JoinTokenRecord.Use(node: NodeID(3), publicKey: .of("abc")))
        #expect(try JoinTokenRecord(decoding: token.encode().span.bytes) == token)
        #expect(Self.hex(token.encode()) == "01" + "0000000000000001" + "0000000000000002" + "01" + "0000000000000003" + abc)
        let cluster = try #require(try fixture.store.clusterRecord())
        #expect(try ClusterRecord(decoding: cluster.encode().span.bytes) == cluster)
        for row in try fixture.dump() where ["nodes", "cluster"].contains(row.table) {
            #expect(throws: DecodingFailure.self) { try NodeRecord(decoding: row.value.span.bytes) }
        }
    }

    @Test("the bytes of the commands are fixed: logs on disk are read by later versions")
    func goldenCommands() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let node = NewNode(name: "n", peerAddress: .of("p:1"), apiAddress: .of("a:2"), publicKey: .of("abc"), version: "1")
        let nodeBytes = "01016e" + "01700001" + "01610002" + abc + "0131"
        let expected: [(ClusterCommand, String)] = [
            (.createCluster(CreateCluster(authorityPEM: "C", sealedAuthorityKey: [9], firstNode: node)), "01" + "0143" + "0109" + nodeBytes),
            (.createJoinToken(hash: .of("abc"), expiresAt: Timestamp(millisecondsSince1970: 5)), "02" + abc + "0000000000000005"),
            (.admitNode(tokenHash: .of("abc"), node), "03" + abc + nodeBytes),
            (.updateNode(UpdateNode(id: NodeID(3), peerAddress: .of("p:1"), keys: UpdateNode.KeyChange(current: .of("abc"), next: .of("abc")))), "04" + "0000000000000003" + "01" + "01700001" + "00" + "01" + abc + abc + "00"),
            (.removeNode(NodeID(3)), "05" + "0000000000000003"),
        ]
        let header = CodecTests.mutation(.createAccount).encode().dropLast()
        for (command, bytes) in expected {
            #expect(Self.hex(CodecTests.mutation(.cluster(command)).encode()) == Self.hex(Array(header)) + "0f" + bytes)
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
