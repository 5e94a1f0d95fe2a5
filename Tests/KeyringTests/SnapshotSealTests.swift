import OpenSSL
import Testing

@testable import Keyring

@Suite("Frames of an image of the state")
struct SnapshotSealTests {
    let keyring = Keyring.forTesting()
    static let plaintexts: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: 100_000), [9]]

    private struct Image {
        var header: [UInt8]
        var salt: [UInt8]
        var frames: [[UInt8]]
    }

    private func image(_ keyring: Keyring, header text: String = "header") -> Image {
        var salt: [UInt8] = []
        var sealer = keyring.sealSnapshot { term, fresh in
            salt = fresh
            return [UInt8]("\(text) \(term)".utf8) + fresh
        }
        var frames: [[UInt8]] = []
        for (number, plaintext) in Self.plaintexts.enumerated() {
            var frame: [UInt8] = []
            sealer.seal(plaintext.span.bytes, isLast: number == Self.plaintexts.count - 1, appendingTo: &frame)
            frames.append(frame)
        }
        return Image(header: sealer.header, salt: salt, frames: frames)
    }

    /// How many frames open, in order, before one does not.
    private func openedCount(_ image: Image, with keyring: Keyring) throws -> Int {
        var opener = try keyring.openSnapshot(header: image.header, term: 1, salt: image.salt)
        for (number, frame) in image.frames.enumerated() {
            do {
                let plaintext = try opener.open(frame.span.bytes, isLast: number == image.frames.count - 1)
                #expect(plaintext == Self.plaintexts[number])
            } catch KeyringError.notAuthentic {
                return number
            }
        }
        return image.frames.count
    }

    @Test("open in their order")
    func roundTrip() throws {
        let image = image(keyring)
        #expect(try openedCount(image, with: keyring) == 4)
        #expect(image.frames.map(\.count) == Self.plaintexts.map { $0.count + SnapshotOpener.overheadByteCount })
    }

    @Test("do not open in another place, image or cluster, behind another header or salt, or with the other flag")
    func bindings() throws {
        let image = image(keyring)
        var swapped = image
        swapped.frames.swapAt(1, 2)
        #expect(try openedCount(swapped, with: keyring) == 1)
        var endsEarly = image
        endsEarly.frames.removeLast()
        #expect(try openedCount(endsEarly, with: keyring) == 2, "the third frame is not the last one")
        let other = self.image(keyring)
        var spliced = image
        spliced.frames[2] = other.frames[2]
        #expect(try openedCount(spliced, with: keyring) == 2)
        #expect(other.salt != image.salt && other.frames[0] != image.frames[0])
        var header = image
        header.header[0] ^= 1
        #expect(try openedCount(header, with: keyring) == 0)
        var salt = image
        salt.salt[0] ^= 1
        #expect(try openedCount(salt, with: keyring) == 0)
        #expect(try openedCount(image, with: .forTesting()) == 0)
        var opener = try keyring.openSnapshot(header: image.header, term: 1, salt: image.salt)
        #expect(throws: KeyringError.notAuthentic) { try opener.open([1, 2, 3].span.bytes, isLast: false) }
        #expect(throws: KeyringError.unknownKey(reference: "domain/2")) { _ = try keyring.openSnapshot(header: [], term: 2, salt: image.salt) }
    }

    @Test("nothing is sealed behind the last one")
    func end() async {
        await #expect(processExitsWith: .failure) {
            var sealer = Keyring.forTesting().sealSnapshot { _, salt in salt }
            var output: [UInt8] = []
            sealer.seal(RawSpan(), isLast: true, appendingTo: &output)
            sealer.seal(RawSpan(), isLast: true, appendingTo: &output)
        }
    }
}
