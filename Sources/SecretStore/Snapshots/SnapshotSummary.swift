package import OpenSSL

/// What can be known of an image from its beginning.
package struct SnapshotHead: Equatable, Sendable {
    package var header: SnapshotHeader
    /// The bytes that whoever wrote the image added to it.
    package var attachment: [UInt8]
}

/// What is known of an image that was written or read from end to end.
package struct SnapshotSummary: Equatable, Sendable {
    package var head: SnapshotHead
    /// The tables in their order, and how many rows of each the image holds.
    package var tables: [Table]
    /// Length of all rows, in bytes.
    package var rowByteCount: UInt64
    /// Length of the file, in bytes.
    package var fileByteCount: UInt64
    /// SHA-256 over the file. Differs between two images of the same state, whose salts differ.
    package var contentHash: Digest

    package struct Table: Equatable, Sendable {
        package var name: String
        package var rowCount: UInt64
    }

    init(head: SnapshotHead, trailer: SnapshotTrailer, fileByteCount: UInt64, contentHash: Digest) {
        self.head = head
        tables = zip(StateTables.names, trailer.rowCounts).map { Table(name: $0, rowCount: $1) }
        rowByteCount = trailer.rowByteCount
        self.fileByteCount = fileByteCount
        self.contentHash = contentHash
    }
}

/// What an image is about to be written of, for the caller's attachment.
package struct SnapshotOrigin: Sendable {
    package var position: SnapshotPosition
    /// The membership that is in force there, and the index of its entry; nil before the first.
    package var membership: (encoded: [UInt8], index: UInt64)?
}
