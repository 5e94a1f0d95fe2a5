import OpenSSL
import Synchronization
import Testing

@testable import Access

/// A count that several threads may raise.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}

/// A directory of access keys that changes while requests come in.
final class KeyTable: Sendable {
    private let keys = Mutex<[String: AccessKey]>([:])

    subscript(_ id: String) -> AccessKey? {
        get { keys.withLock { $0[id] } }
        set { keys.withLock { $0[id] = newValue } }
    }

    func verifier() -> RequestVerifier {
        RequestVerifier(region: "us-east-1", service: "secretsmanager") { self[$0] }
    }
}

struct SigningKeyCacheTests {
    private let otherSecret = "0123456789abcdefghijklmnopqrstuvwxyzABCD"

    private func signed(_ signer: NaiveSigner = NaiveSigner()) -> WireRequest { signer.sign(Example.request) }

    @Test func `one derivation serves all requests of a key on a day`() {
        let verifier = Example.verifier()
        for _ in 0..<10 { #expect(verifier.verdict(Example.signed).isAccepted) }
        #expect(verifier.cache.statistics.derivations == 1)
        #expect(verifier.cache.statistics.uses == 10)
    }

    @Test func `after a rotation the old secret is refused at once, and the new one accepted`() {
        let table = KeyTable()
        let verifier = table.verifier()
        var newSigner = NaiveSigner()
        newSigner.secret = otherSecret

        table[Example.keyID] = Example.key()
        #expect(verifier.verdict(signed()).isAccepted)
        table[Example.keyID] = Example.key(secret: otherSecret, generation: 2)
        #expect(verifier.verdict(signed()).failure == .signatureMismatch)
        #expect(verifier.verdict(signed(newSigner)).isAccepted)
    }

    @Test func `a rotation is noticed even if the generation stayed the same`() {
        let table = KeyTable()
        let verifier = table.verifier()
        table[Example.keyID] = Example.key()
        #expect(verifier.verdict(signed()).isAccepted)
        table[Example.keyID] = Example.key(secret: otherSecret)
        #expect(verifier.verdict(signed()).failure == .signatureMismatch)
    }

    @Test func `a new generation drops what was derived, even if the secret stayed the same`() {
        let table = KeyTable()
        let verifier = table.verifier()
        for generation in 1...3 as ClosedRange<UInt64> {
            table[Example.keyID] = Example.key(generation: generation)
            #expect(verifier.verdict(signed()).isAccepted)
            #expect(verifier.cache.statistics.derivations == Int(generation))
        }
    }

    @Test func `a key that moves to another account speaks for that account at once`() {
        let table = KeyTable()
        let verifier = table.verifier()
        for account in ["111111111111", "222222222222"] {
            table[Example.keyID] = Example.key(account: account)
            #expect(verifier.verdict(signed()) == .accepted(Principal(rootOf: account, accessKeyID: Example.keyID)))
        }
    }

    @Test(arguments: [true, false])
    func `a key that was taken away is refused at once and forgotten`(isDeleted: Bool) {
        let table = KeyTable()
        let verifier = table.verifier()
        table[Example.keyID] = Example.key()
        #expect(verifier.verdict(signed()).isAccepted)
        #expect(verifier.cache.holds(Example.keyID))
        table[Example.keyID] = isDeleted ? nil : Example.key(isActive: false)
        #expect(verifier.verdict(signed()).failure == .unknownAccessKey)
        #expect(!verifier.cache.holds(Example.keyID))
        table[Example.keyID] = Example.key()
        #expect(verifier.verdict(signed()).isAccepted)
    }

    @Test func `a lookup that answers for another key is not believed`() {
        let verifier = RequestVerifier(region: "us-east-1", service: "secretsmanager") { _ in Example.key() }
        var signer = NaiveSigner()
        signer.keyID = "AKIDOTHER"
        #expect(verifier.verdict(signed(signer)).failure == .unknownAccessKey)
    }

    @Test func `an unknown key costs what a wrong signature costs`() {
        let verifier = Example.verifier()
        var wrong = NaiveSigner()
        wrong.secret = otherSecret
        var unknown = NaiveSigner()
        unknown.keyID = "AKIDOTHER"
        let requests = [signed(wrong), signed(unknown)]
        for request in requests { _ = verifier.verdict(request) } // each derives once

        for request in requests {
            let before = verifier.cache.statistics
            #expect(!verifier.verdict(request).isAccepted)
            let after = verifier.cache.statistics
            // One key taken from the cache, none derived. The HMAC under that key stands in one place, behind no condition.
            #expect(after.uses == before.uses + 1)
            #expect(after.derivations == before.derivations)
        }
    }

    @Test func `unknown ids do not fill the cache`() {
        let verifier = Example.verifier()
        #expect(verifier.verdict(Example.signed).isAccepted)
        for i in 0..<100 {
            var signer = NaiveSigner()
            signer.keyID = "AKIDOTHER\(i)"
            #expect(verifier.verdict(signed(signer)).failure == .unknownAccessKey)
        }
        let statistics = verifier.cache.statistics
        #expect(statistics.accessKeys == 2 && statistics.derivations == 2) // the example and the stand-in
    }

    @Test func `two days of a key are held, the newest ones`() {
        let cache = SigningKeyCache(partition: "aws")
        let key = Example.key()
        func isDerived(_ day: UInt64) -> Bool {
            let before = cache.statistics.derivations
            _ = cache.material(for: key, day: day, forgetting: nil) { Self.anyKey(day) }
            return cache.statistics.derivations > before
        }
        #expect(isDerived(1))
        #expect(isDerived(2))
        #expect(!isDerived(1))
        #expect(!isDerived(2))
        #expect(isDerived(3))
        #expect(!isDerived(2))
        #expect(!isDerived(3))
        #expect(isDerived(1))
        #expect(!isDerived(3))
        #expect(cache.statistics.signingKeys == 2)
    }

    @Test func `the cache is bounded, and the key that waited longest goes`() {
        let cache = SigningKeyCache(partition: "aws")
        func use(_ i: Int) {
            _ = cache.material(for: Example.key(id: "K\(i)"), day: 1, forgetting: nil) { Self.anyKey(1) }
        }
        for i in 0..<SigningKeyCache.accessKeyCountMax { use(i) }
        use(0)
        use(SigningKeyCache.accessKeyCountMax)
        #expect(cache.statistics.accessKeys == SigningKeyCache.accessKeyCountMax)
        #expect(cache.holds("K0"))
        #expect(!cache.holds("K1"))
        #expect(cache.holds("K\(SigningKeyCache.accessKeyCountMax)"))
    }

    private static func anyKey(_ day: UInt64) -> HMACKey {
        SigningKey.derive(secret: Example.secretBytes(), date: "\(day)".utf8Array.span.bytes, region: [], service: [])
    }

    // MARK: Many at once

    @Test(.timeLimit(.minutes(1)))
    func `many tasks verify at once, and every answer belongs to its signer`() async {
        let table = KeyTable()
        let verifier = table.verifier()
        let requests = (0..<20).map { i in
            let id = "AKIAEXAMPLEEXAMPLE\(i + 10)"
            let account = "1000000000\(i + 10)"
            let key = AccessKey(id: id, secret: AccessKey.randomSecret(), account: account, isActive: true, generation: 1)
            table[id] = key
            var signer = NaiveSigner()
            signer.keyID = id
            signer.secret = key.secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            return (request: signed(signer).bytes, principal: Principal(rootOf: account, accessKeyID: id))
        }
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<200).allSatisfy { round in
                        let (request, principal) = requests[(task * 7 + round) % requests.count]
                        return verifier.verdict(request) == .accepted(principal)
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(verifier.cache.statistics.accessKeys == requests.count)
    }

    @Test(.timeLimit(.minutes(1)))
    func `while a key is rotated under load, no signature is accepted that the current secret did not make`() async {
        let table = KeyTable()
        let verifier = table.verifier()
        let secrets = [Example.secret, otherSecret]
        let requests = secrets.map { secret in
            var signer = NaiveSigner()
            signer.secret = secret
            return signed(signer).bytes
        }
        table[Example.keyID] = Example.key()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<3 {
                group.addTask { for i in 0..<300 { _ = verifier.verdict(requests[(i + task) % 2]) } }
            }
            group.addTask {
                // Only this task rotates, so what it sees right after must fit.
                for generation in 2..<150 as Range<UInt64> {
                    let current = Int(generation % 2)
                    table[Example.keyID] = Example.key(secret: secrets[current], generation: generation)
                    #expect(verifier.verdict(requests[current]).isAccepted)
                    #expect(verifier.verdict(requests[1 - current]).failure == .signatureMismatch)
                }
            }
        }
    }
}
