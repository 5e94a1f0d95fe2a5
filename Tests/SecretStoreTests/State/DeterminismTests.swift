import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

@Suite("The same mutations give the same tables, byte for byte", .timeLimit(.minutes(1)))
struct DeterminismTests {
    let keyring = Keyring.forTesting()

    private func mutations(seed: UInt64, count: Int = 1_500) -> [Mutation] {
        var generator = CommandGenerator(seed: seed, keyTerm: keyring.currentTerm)
        return (0..<count).map { _ in generator.mutation() }
    }

    @Test("however they are cut into transactions, and when each goes through its encoding", arguments: 1...6 as ClosedRange<UInt64>)
    func transactions(seed: UInt64) throws {
        let mutations = mutations(seed: seed)
        let whole = try StoreFixture(keyring: keyring)
        try whole.apply(mutations)
        var generator = SeededGenerator(seed: seed)
        let cut = try StoreFixture(keyring: keyring)
        var rest = mutations[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Int.random(in: 1...60, using: &generator))
            try cut.apply(try batch.map { try Mutation(decoding: $0.encode().span.bytes) })
            rest = rest.dropFirst(batch.count)
        }
        #expect(try whole.store.committedStateHash() == cut.store.committedStateHash())
        #expect(try whole.dump() == cut.dump())
        #expect(try whole.store.committedIndex() == UInt64(mutations.count))
    }

    @Test("when transactions are lost and replayed from the last commit", arguments: 1...6 as ClosedRange<UInt64>)
    func crashes(seed: UInt64) throws {
        struct Crash: Error {}
        let mutations = mutations(seed: seed)
        let whole = try StoreFixture(keyring: keyring)
        try whole.apply(mutations)
        let crashing = try StoreFixture(keyring: keyring)
        var generator = SeededGenerator(seed: seed ^ 0xC0FFEE)
        var outcomes: [UInt64: Outcome] = [:]
        while try crashing.store.committedIndex() < UInt64(mutations.count) {
            let start = Int(try crashing.store.committedIndex())
            let batch = mutations[start..<min(start + Int.random(in: 1...200, using: &generator), mutations.count)]
            let isLost = generator.chance(50)
            do {
                try crashing.store.environment.write { txn in
                    for (offset, mutation) in batch.enumerated() {
                        let index = UInt64(start + offset + 1)
                        let outcome = try crashing.store.apply(mutation, at: index, in: &txn)
                        // What was answered before the crash is what the replay gives.
                        if let earlier = outcomes[index] { #expect(outcome == earlier) }
                        outcomes[index] = outcome
                    }
                    if isLost { throw Crash() }
                }
            } catch is Crash {}
        }
        #expect(try whole.dump() == crashing.dump())
    }

    @Test("the state hash covers every change and its order")
    func hashCoverage() throws {
        let first = try StoreFixture(keyring: keyring)
        let second = try StoreFixture(keyring: keyring)
        #expect(try first.store.committedStateHash() == second.store.committedStateHash())
        var hashes: Set<Digest> = []
        let mutations = mutations(seed: 99, count: 50)
        for mutation in mutations {
            try first.apply(mutation)
            hashes.insert(try first.store.committedStateHash())
        }
        #expect(hashes.count == 50, "every entry moves the hash, also one that is refused")
        for mutation in mutations.dropLast(2) { try second.apply(mutation) }
        try second.apply(mutations[49])
        try second.apply(mutations[48])
        #expect(try first.store.committedStateHash() != second.store.committedStateHash())
    }

    @Test("the state hash covers the bytes of a value, and the position of an entry")
    func hashOfValuesAndPositions() throws {
        let id = ProposalID(high: 1, low: 2)
        func hash(ciphertext: [UInt8], at index: UInt64) throws -> Digest {
            let fixture = try StoreFixture(keyring: keyring)
            var version = NewVersion.of("v1", "v", in: "s")
            version.value.ciphertext = ciphertext
            let command = Command.createSecret(CreateSecret(secret: .of("s"), version: version))
            let mutation = Mutation(id: id, account: StoreFixture.account, at: StoreFixture.start, keyTerm: keyring.currentTerm, command: command)
            try fixture.store.environment.write { txn in _ = try fixture.store.apply(mutation, at: index, in: &txn) }
            return try fixture.store.committedStateHash()
        }
        #expect(try hash(ciphertext: [1], at: 1) == hash(ciphertext: [1], at: 1))
        #expect(try hash(ciphertext: [1], at: 1) != hash(ciphertext: [2], at: 1))
        #expect(try hash(ciphertext: [1], at: 1) != hash(ciphertext: [1], at: 2))
    }

    @Test("what hangs together in the tables does so after any sequence", arguments: 10...14 as ClosedRange<UInt64>)
    func consistency(seed: UInt64) throws {
        let fixture = try StoreFixture(keyring: keyring)
        try fixture.apply(mutations(seed: seed))
        let rows = try fixture.dump()
        let records = try rows.filter { $0.table == "secrets" }.map { row in
            let plaintext = try keyring.openRecord(row.value.span.bytes, table: row.table, key: row.key.span.bytes)
            return try SecretRecord(decoding: plaintext.span.bytes)
        }
        #expect(!records.isEmpty)
        var listing: Set<[UInt8]> = []
        for record in records {
            for order in SecretOrder.allCases { listing.insert(ListKey.key(record, order: order) + [0] + ListKey.value(record)) }
            let labels = record.versions.flatMap(\.labels)
            #expect(Set(labels).count == labels.count, "a label is on one version")
            #expect(record.versions.isEmpty || labels.contains(.current), "a secret with a value has AWSCURRENT")
            #expect(Set(record.versions.map(\.id)).count == record.versions.count)
            #expect(record.versions.allSatisfy { $0.labels == $0.labels.sorted() })
        }
        #expect(Set(rows.filter { $0.table == "listing" }.map { $0.key + [0] + $0.value }) == listing)
        let valueKeys = Set(records.flatMap(\.versions).map { StateKeys.number($0.valueNumber) })
        #expect(Set(rows.filter { $0.table == "values" }.map(\.key)) == valueKeys, "every version has its value, and no value is left over")
        let deletions = Set(records.compactMap { record in record.deletion.map { StateKeys.deletion(date: $0.date, secret: record.number) } })
        #expect(Set(rows.filter { $0.table == "deletions" }.map(\.key)) == deletions)
        let numbers = Set(records.map { StateKeys.number($0.number) })
        #expect(rows.filter { $0.table == "policies" }.allSatisfy { numbers.contains($0.key) })
    }

    @Test("proposals are forgotten after a number of positions, not before")
    func forgottenProposals() throws {
        let fixture = try StoreFixture(keyring: keyring)
        let repeated = Mutation(account: StoreFixture.account, at: fixture.now, keyTerm: keyring.currentTerm, command: .createAccount)
        func apply(_ mutation: Mutation, at index: UInt64) throws -> Outcome {
            try fixture.store.environment.write { txn in try fixture.store.apply(mutation, at: index, in: &txn) }
        }
        func other(_ number: UInt64) -> Mutation {
            Mutation(id: ProposalID(high: 1, low: number), account: StoreFixture.account, at: fixture.now, keyTerm: 1, command: .recordAccess([], day: fixture.now.day))
        }
        #expect(try apply(other(0), at: 1) == .done)
        #expect(try apply(repeated, at: 2) == .done)
        // Positions without a mutation (as Raft has them) count as well. This one forgets the first entry only.
        #expect(try apply(other(1), at: Limits.proposalsRemembered + 1) == .done)
        #expect(try apply(repeated, at: Limits.proposalsRemembered + 2) == .done, "remembered")
        #expect(try apply(other(2), at: Limits.proposalsRemembered + 3) == .done)
        #expect(try apply(repeated, at: Limits.proposalsRemembered + 4) == .failed(.accountAlreadyExists), "forgotten, and executed again")
        #expect(try fixture.rowCount("proposals") == 3)
        #expect(try fixture.rowCount("proposalOrder") == 3)
    }

    @Test("an entry at or below the applied index is a bug of the caller")
    func order() async {
        await #expect(processExitsWith: .failure) {
            let fixture = try StoreFixture()
            let mutation = Mutation(account: StoreFixture.account, at: fixture.now, keyTerm: 1, command: .createAccount)
            try fixture.apply(mutation)
            try fixture.store.environment.write { txn in _ = try fixture.store.apply(mutation, at: 1, in: &txn) }
        }
    }

    @Test("a state of another cluster, region or partition is refused in words")
    func identity() throws {
        let fixture = try StoreFixture(keyring: keyring)
        let environment = fixture.store.environment
        #expect(try SecretStore(environment: environment, keyring: keyring, scope: StoreFixture.scope).committedIndex() == 0)
        let otherCluster = Keyring.forTesting(clusterID: "ffffffffffffffffffffffffffffffff")
        #expect(throws: StoreError.foreign(what: "cluster", found: keyring.clusterID, expected: otherCluster.clusterID)) {
            try SecretStore(environment: environment, keyring: otherCluster, scope: StoreFixture.scope)
        }
        #expect(throws: StoreError.foreign(what: "region", found: "eu-north-1", expected: "us-east-1")) {
            try SecretStore(environment: environment, keyring: keyring, scope: ARNScope(region: "us-east-1"))
        }
        #expect(throws: StoreError.foreign(what: "partition", found: "aws", expected: "aws-cn")) {
            try SecretStore(environment: environment, keyring: keyring, scope: ARNScope(partition: "aws-cn", region: "eu-north-1"))
        }
    }
}
