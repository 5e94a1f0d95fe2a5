import Glibc
import Keyring
import OpenSSL

/// Reads one image and checks all of it: authenticity of each frame, order of the rows, the trailer, and that the state inside stands
/// where the header says. Holds one frame at a time. Belongs to one thread.
final class SnapshotReader {
    private let input: SnapshotInput
    private var opener: SnapshotOpener
    private var frameNumber: UInt64 = 0
    /// Authentic.
    let head: SnapshotHead

    /// Opens the file and reads header and attachment.
    ///
    /// - Throws: ``SnapshotError/foreign(what:found:expected:)`` for an image of another cluster; what else can be wrong with them.
    init(path: String, keyring: Keyring) throws(SnapshotError) {
        input = try SnapshotInput(path: path)
        let prefix = try input.read(SnapshotHeader.prefixByteCount)
        let fields = try input.read(try SnapshotHeader.fieldsByteCount(prefix: prefix))
        let header: SnapshotHeader
        do throws(DecodingFailure) {
            header = try SnapshotHeader(decodingFields: fields.span.bytes)
        } catch {
            throw .notASnapshot
        }
        guard header.clusterID == keyring.clusterID else {
            throw .foreign(what: "cluster", found: header.clusterID, expected: keyring.clusterID)
        }
        do throws(KeyringError) {
            opener = try keyring.openSnapshot(header: prefix + fields, term: header.keyTerm, salt: header.salt)
        } catch {
            guard case .unknownKey(let reference) = error else { throw .altered(frame: 0) }
            throw .unknownKey(reference: reference)
        }
        let first = try Self.frame(of: input, with: &opener, number: 0)
        guard !first.isLast, first.plaintext.count <= Limits.snapshotAttachmentBytesMax else {
            throw .contradictory("it does not begin with an attachment")
        }
        frameNumber = 1
        head = SnapshotHead(header: header, attachment: first.plaintext)
    }

    /// Calls `visit` with every row, once.
    ///
    /// What `visit` has been given is certain only when this returns.
    ///
    /// - Parameter visit: Gets the table's place in ``StateTables/names``.
    /// - Throws: ``SnapshotError``, or what `visit` throws.
    func readRows(_ visit: (_ table: Int, _ key: RawSpan, _ value: RawSpan) throws -> Void) throws -> SnapshotSummary {
        let header = head.header
        var counted = SnapshotTrailer(stateHash: header.position.stateHash)
        var order = RowOrder()
        var meta = MetaCheck(header)
        while true {
            let (plaintext, isLast) = try Self.frame(of: input, with: &opener, number: frameNumber)
            frameNumber += 1
            guard !isLast else {
                try check(trailer: plaintext, against: counted)
                break
            }
            try SnapshotRow.forEach(in: plaintext.span.bytes) { table, key, value in
                try order.check(table: table, key: key)
                counted.count(table: table, key: key, value: value)
                if table == StateTables.metaNumber { try meta.take(key: key, value: value) }
                try visit(table, key, value)
            }
        }
        try meta.finish()
        guard try input.read(1).isEmpty else { throw SnapshotError.trailingBytes }
        return SnapshotSummary(head: head, trailer: counted, fileByteCount: input.byteCount, contentHash: input.finishHash())
    }

    private func check(trailer bytes: [UInt8], against counted: SnapshotTrailer) throws(SnapshotError) {
        do throws(DecodingFailure) {
            guard try SnapshotTrailer(decoding: bytes.span.bytes) == counted else { throw DecodingFailure.unknownValue }
        } catch {
            throw .contradictory("its trailer speaks of other rows or of another state")
        }
    }

    private static func frame(
        of input: SnapshotInput, with opener: inout SnapshotOpener, number: UInt64
    ) throws(SnapshotError) -> (plaintext: [UInt8], isLast: Bool) {
        let prefix = try input.read(SnapshotFormat.framePrefixByteCount)
        guard prefix.count == SnapshotFormat.framePrefixByteCount else { throw .truncated }
        guard let (count, isLast) = SnapshotFormat.decode(framePrefix: prefix) else { throw .altered(frame: number) }
        let sealed = try input.read(count)
        guard sealed.count == count else { throw .truncated }
        do throws(KeyringError) {
            return (try opener.open(sealed.span.bytes, isLast: isLast), isLast)
        } catch {
            throw .altered(frame: number)
        }
    }
}

/// Sees that tables come in their order, and the rows of each in key order.
private struct RowOrder {
    private var table = -1
    private var key: [UInt8] = []

    mutating func check(table: Int, key: RawSpan) throws(SnapshotError) {
        guard StateTables.names.indices.contains(table) else { throw .contradictory("it has a table that does not exist") }
        let isInOrder = table > self.table || (table == self.table && isBelow(key))
        guard isInOrder, key.byteCount > 0 else { throw .contradictory("rows of the table '\(StateTables.names[table])' are out of order") }
        self.table = table
        self.key.removeAll(keepingCapacity: true)
        key.withUnsafeBytes { self.key.append(contentsOf: $0) }
    }

    /// Whether the last key sorts before `next`, as LMDB sorts.
    private func isBelow(_ next: RawSpan) -> Bool {
        key.withUnsafeBytes { key in
            next.withUnsafeBytes { next in
                guard let a = key.baseAddress, let b = next.baseAddress else { return next.count > key.count }
                let order = memcmp(a, b, min(key.count, next.count))
                return order < 0 || (order == 0 && key.count < next.count)
            }
        }
    }
}

/// Compares the rows of `meta` with the header.
private struct MetaCheck {
    private let header: SnapshotHeader
    private let identity: [(what: String, value: String)]
    private var identityRows = 0
    private var position = MachinePosition.initial

    init(_ header: SnapshotHeader) {
        self.header = header
        identity = SecretStore.identity(clusterID: header.clusterID, scope: header.scope)
    }

    mutating func take(key: RawSpan, value: RawSpan) throws(SnapshotError) {
        let name = key.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        if let row = identity.first(where: { $0.what == name }) {
            let found = value.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            guard found == row.value else { throw .foreign(what: name, found: found, expected: row.value) }
            identityRows += 1
        } else if name.utf8.elementsEqual(MachinePosition.key) {
            do throws(DecodingFailure) {
                position = try MachinePosition(decoding: value)
            } catch {
                throw .contradictory("it does not say where it stands in the log")
            }
        }
    }

    func finish() throws(SnapshotError) {
        guard identityRows == identity.count else { throw .contradictory("it does not say which cluster it is of") }
        guard position.snapshotPosition == header.position else { throw .contradictory("its header and its rows stand at different entries") }
    }
}
