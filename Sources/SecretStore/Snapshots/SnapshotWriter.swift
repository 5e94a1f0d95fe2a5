import Keyring
import OpenSSL

/// Writes one image: attachment, rows, trailer. Holds one frame at a time. Belongs to one thread.
final class SnapshotWriter {
    private let output: SnapshotOutput
    private var sealer: SnapshotSealer
    private let head: SnapshotHead
    private var trailer: SnapshotTrailer
    private var frame: [UInt8] = []
    private let isCancelled: () -> Bool

    /// Makes the file and writes header and attachment.
    ///
    /// - Parameter isCancelled: Asked before each frame.
    init(
        path: String, keyring: Keyring, scope: ARNScope, position: SnapshotPosition, attachment: [UInt8], isCancelled: @escaping () -> Bool
    ) throws(SnapshotError) {
        precondition(attachment.count <= Limits.snapshotAttachmentBytesMax, "an attachment is a page of metadata")
        var header = SnapshotHeader(position: position, clusterID: keyring.clusterID, scope: scope, keyTerm: 0, salt: [])
        sealer = keyring.sealSnapshot { term, salt in
            header.keyTerm = term
            header.salt = salt
            return header.encode()
        }
        head = SnapshotHead(header: header, attachment: attachment)
        trailer = SnapshotTrailer(stateHash: position.stateHash)
        self.isCancelled = isCancelled
        do throws(FileFailure) {
            output = try SnapshotOutput(path: path)
            try output.write(sealer.header)
        } catch {
            throw .file(error)
        }
        try write(attachment, isLast: false)
        frame.reserveCapacity(SnapshotFormat.frameByteCountMax)
    }

    /// Adds a row: tables and keys in their order.
    ///
    /// - Parameter table: Place of the table in ``StateTables/names``.
    func add(table: Int, key: RawSpan, value: RawSpan) throws(SnapshotError) {
        guard SnapshotRow.prefixByteCount + key.byteCount + value.byteCount <= SnapshotFormat.rowByteCountMax else {
            throw .contradictory("a row of the table '\(StateTables.names[table])' is longer than any row can be")
        }
        SnapshotRow.append(table: table, key: key, value: value, to: &frame)
        trailer.count(table: table, key: key, value: value)
        if frame.count >= SnapshotFormat.frameByteCount { try flush() }
    }

    /// Writes what is left and the trailer, and gives the file its name.
    func finish() throws(SnapshotError) -> SnapshotSummary {
        if !frame.isEmpty { try flush() }
        try write(trailer.encode(), isLast: true)
        do throws(FileFailure) {
            let hash = try output.publish()
            return SnapshotSummary(head: head, trailer: trailer, fileByteCount: output.byteCount, contentHash: hash)
        } catch {
            throw .file(error)
        }
    }

    private func flush() throws(SnapshotError) {
        try write(frame, isLast: false)
        frame.removeAll(keepingCapacity: true)
    }

    private func write(_ plaintext: [UInt8], isLast: Bool) throws(SnapshotError) {
        guard !isCancelled() else { throw .cancelled }
        let sealedByteCount = plaintext.count + SnapshotOpener.overheadByteCount
        var bytes = SnapshotFormat.framePrefix(sealedByteCount: sealedByteCount, isLast: isLast)
        bytes.reserveCapacity(bytes.count + sealedByteCount)
        sealer.seal(plaintext.span.bytes, isLast: isLast, appendingTo: &bytes)
        do throws(FileFailure) {
            try output.write(bytes)
        } catch {
            throw .file(error)
        }
    }
}
