import OpenSSL
import Synchronization
import Testing

@testable import Access

/// Several keys at once, and keys that change while they are in use (threat model N29, N32).
struct ManyKeysTests {
    private static let callers = (0..<100).map { number in
        Caller(
            id: "AKIAEXAMPLE\(100_000_000 + number)", secret: "secret number \(number) of forty characters.".padded(to: 40),
            account: "1234567890\(number < 10 ? "0" : "")\(number)")
    }

    private struct Caller {
        var id: String
        var secret: String
        var account: String
        var key: AccessKey { Example.key(id: id, secret: secret, account: account) }
        var request: WireRequest { NaiveSigner(keyID: id, secret: secret).sign(Example.request) }
    }

    @Test func `a hundred callers in turn are each told apart, and nobody signs for another`() {
        let keys = Dictionary(uniqueKeysWithValues: Self.callers.map { ($0.id, $0.key) })
        let verifier = RequestVerifier(region: "us-east-1", service: "secretsmanager") { keys[$0] }
        for _ in 0..<3 {
            for (caller, other) in zip(Self.callers, Self.callers.dropFirst()) {
                #expect(verifier.verdict(caller.request) == .accepted(Principal(rootOf: caller.account, accessKeyID: caller.id)))
                let forged = NaiveSigner(keyID: other.id, secret: caller.secret).sign(Example.request)
                #expect(verifier.verdict(forged) == .refused(.signatureMismatch))
            }
        }
    }

    @Test func `a key that is switched off, removed or replaced is refused at the next request, though its signing key was kept`() {
        let caller = Self.callers[0]
        let state = Mutex<AccessKey?>(caller.key)
        let verifier = RequestVerifier(region: "us-east-1", service: "secretsmanager") { id in
            state.withLock { $0.flatMap { $0.id == id ? $0 : nil } }
        }
        let accepted = Verdict.accepted(Principal(rootOf: caller.account, accessKeyID: caller.id))
        func verdict(with key: AccessKey?) -> Verdict {
            state.withLock { $0 = key }
            return verifier.verdict(caller.request)
        }
        let inactive = Example.key(id: caller.id, secret: caller.secret, account: caller.account, isActive: false, generation: 2)
        let replaced = Example.key(id: caller.id, secret: "another secret".padded(to: 40), account: caller.account, generation: 3)
        #expect(verdict(with: caller.key) == accepted)
        #expect(verdict(with: inactive) == .refused(.unknownAccessKey))
        #expect(verdict(with: caller.key) == accepted)
        #expect(verdict(with: nil) == .refused(.unknownAccessKey))
        #expect(verdict(with: caller.key) == accepted)
        #expect(verdict(with: replaced) == .refused(.signatureMismatch))
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String { self + String(repeating: "x", count: max(0, count - utf8.count)) }
}
