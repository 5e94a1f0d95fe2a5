internal import Glibc
internal import Logging
internal import OpenSSL
internal import Raft
internal import SecretStore

/// The work of ``SnapshotDepot``'s thread.
struct SnapshotDesk {
    private let directory: String
    private let store: SecretStore
    private let id: NodeID
    private let founding: Membership
    private let logger: Logger
    private let report: (SnapshotDepot.News) -> Void
    private var fetching: SnapshotMeta?
    private var staging: StagedFile?

    init(
        directory: String, store: SecretStore, id: NodeID, founding: Membership, logger: Logger,
        report: @escaping @Sendable (SnapshotDepot.News) -> Void
    ) {
        self.directory = directory
        self.store = store
        self.id = id
        self.founding = founding
        self.logger = logger
        self.report = report
    }

    /// Removes what earlier lives left.
    func clean() { removeFiles { _ in true } }

    mutating func perform(_ action: SnapshotAction) {
        switch action {
        case .make: make()
        case .release(let image): unlink(SnapshotDepot.madePath(of: image, in: directory))
        case .sendChunk(let node, let term, let image, let offset, let byteCount):
            sendChunk(of: image, from: offset, byteCount, to: node, in: term)
        case .beginFetch(let meta, _): beginFetch(meta)
        case .store(let chunk): stage(chunk)
        case .discard(let image):
            if fetching?.image == image { endFetch() }
            unlink(SnapshotDepot.stagedPath(of: image, in: directory))
        case .install: preconditionFailure("the apply thread installs")
        }
    }

    // MARK: Images for others

    private func make() {
        do {
            let (meta, path) = try image()
            guard rename(path, SnapshotDepot.madePath(of: meta.image, in: directory)) == 0 else {
                throw NodeProblem(description: "the image cannot be renamed: \(String(cString: strerror(errno)))")
            }
            logger.info("made a snapshot", metadata: ["last": "\(meta.last)", "bytes": "\(meta.byteCount)"])
            report(.input(.snapshotReady(meta)))
        } catch {
            logger.warning("no snapshot could be made; it is tried again when a member needs one", metadata: ["error": "\(error)"])
            report(.input(.snapshotUnavailable))
        }
    }

    private func image() throws -> (meta: SnapshotMeta, path: String) {
        let path = "\(directory)/making"
        var membership = MembershipRecord(index: .zero, membership: founding)
        let summary = try store.writeSnapshot(to: path) { origin in
            guard let row = origin.membership else { return [] }
            guard let known = Membership(encoded: row.encoded) else {
                throw NodeProblem(description: "the membership in the state cannot be read; replace this node")
            }
            membership = MembershipRecord(index: LogIndex(row.index), membership: known)
            return row.encoded
        }
        let position = summary.head.header.position
        let last = EntryID(term: Term(position.appliedTerm), index: LogIndex(position.appliedIndex))
        let hash = summary.contentHash.bytes
        let meta = SnapshotMeta(
            image: SnapshotImage(last: last, fingerprint: hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }),
            membership: membership.membership, membershipIndex: membership.index, byteCount: summary.fileByteCount, contentHash: hash)
        return (meta, path)
    }

    private func sendChunk(of image: SnapshotImage, from offset: UInt64, _ byteCount: Int, to node: NodeID, in term: Term) {
        let path = SnapshotDepot.madePath(of: image, in: directory)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { return }
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            count = pread(file, buffer.baseAddress, byteCount, off_t(offset))
            initialized = max(count, 0)
        }
        guard count > 0 else { return logger.warning("a snapshot cannot be read; the member asks again") }
        let chunk = SnapshotChunk(image: image, offset: offset, bytes: bytes, isLast: offset + UInt64(count) == UInt64(status.st_size))
        report(.message(Message(from: id, to: node, term: term, payload: .snapshotChunk(chunk))))
    }

    // MARK: The image on its way in

    private mutating func beginFetch(_ meta: SnapshotMeta) {
        endFetch()
        removeFiles { $0.hasSuffix(".staged") }
        fetching = meta
        logger.notice("fetching a snapshot", metadata: ["last": "\(meta.last)", "bytes": "\(meta.byteCount)"])
    }

    private mutating func endFetch() {
        staging?.close()
        staging = nil
        fetching = nil
    }

    private mutating func stage(_ chunk: SnapshotChunk) {
        guard let meta = fetching, meta.image == chunk.image else { return }
        do throws(StagingFailure) {
            if staging == nil { staging = try StagedFile(path: SnapshotDepot.stagedPath(of: chunk.image, in: directory)) }
            try staging?.write(chunk.bytes, at: chunk.offset)
            let next = chunk.offset + UInt64(chunk.bytes.count)
            if chunk.isLast { try finish(meta, byteCount: next) }
            report(.input(.snapshotChunkStored(chunk.image, next: next, isComplete: chunk.isLast)))
        } catch {
            logger.warning("a snapshot cannot be staged", metadata: ["error": "\(error)"])
            report(.input(.snapshotFailed(chunk.image, error == .noSpace ? .noSpace : .damaged)))
        }
    }

    /// Everything is there: is it what was offered, whole, of this cluster, and on disk?
    private mutating func finish(_ meta: SnapshotMeta, byteCount: UInt64) throws(StagingFailure) {
        try staging?.synchronize(directory: directory)
        staging?.close()
        staging = nil
        let path = SnapshotDepot.stagedPath(of: meta.image, in: directory)
        guard byteCount == meta.byteCount else { throw .damaged("it has \(byteCount) bytes instead of \(meta.byteCount)") }
        do {
            let summary = try SnapshotFile.verify(path, keyring: store.keyring)
            let position = summary.head.header.position
            guard summary.contentHash.bytes == meta.contentHash, position.appliedIndex == meta.last.index.raw,
                position.appliedTerm == meta.last.term.raw
            else { throw StagingFailure.damaged("it is another image than was offered") }
        } catch let failure as StagingFailure {
            throw failure
        } catch {
            throw .damaged("\(error)")
        }
    }

    private func removeFiles(_ isOld: (String) -> Bool) {
        guard let stream = opendir(directory) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != "..", isOld(name) { unlink("\(directory)/\(name)") }
        }
    }
}

/// Why a piece of a snapshot is not staged.
private enum StagingFailure: Error, Equatable {
    case noSpace
    case damaged(String)

    init(_ operation: String) {
        let code = errno
        self = code == ENOSPC || code == EDQUOT ? .noSpace : .damaged("\(operation): \(String(cString: strerror(code)))")
    }
}

/// The file that an image is put together in.
private struct StagedFile {
    private let descriptor: CInt

    init(path: String) throws(StagingFailure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StagingFailure("open") }
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StagingFailure) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, off_t(offset) + off_t(done)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StagingFailure("write") }
            done += count
        }
    }

    func synchronize(directory: String) throws(StagingFailure) {
        guard fsync(descriptor) == 0 else { throw StagingFailure("fsync") }
        let directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw StagingFailure("open") }
        defer { Glibc.close(directory) }
        guard fsync(directory) == 0 else { throw StagingFailure("fsync") }
    }

    func close() { Glibc.close(descriptor) }
}
