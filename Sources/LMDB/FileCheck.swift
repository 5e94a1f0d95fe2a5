import CLMDB
import Glibc

/// Checks at opening that the trees of a data file lie within the file.
///
/// LMDB follows page numbers into its map without a look at the length of the file: a file that was cut short (a broken
/// copy, a damaged file system) would end the process with SIGBUS at some later read. The length alone does not tell,
/// since LMDB may leave never-used pages at the end unwritten. So this reads all branch pages (about one page in a
/// hundred) and the list of tables, and checks every page number in them. It does not read the leaves: the content of
/// records is authenticated above.
///
/// The layout is that of `mdb.c`, data format version 1, in the byte order and word size of the machine that wrote it.
struct FileCheck {
    private let file: Int32
    private let pageSize: Int
    /// Whole pages in the file.
    private let pageCount: UInt64

    /// How often the snapshot is taken anew when other processes overwrite its meta page meanwhile.
    private static let attemptsMax = 100
    /// Deepest tree that LMDB can walk (`CURSOR_STACK`).
    private static let depthMax = 32

    /// - Returns: The map size that the file records.
    /// - Throws: ``LMDBError/Code/corrupted``, or what a system call meets.
    static func run(_ environment: OpaquePointer, dataFile: Int32) throws(LMDBError) -> Int {
        for _ in 0..<attemptsMax {
            // The snapshot keeps its pages from being used again by writers in other processes.
            var begun: OpaquePointer?
            let status = mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
            guard status == MDB_SUCCESS, let transaction = begun else {
                throw LMDBError(status: status, during: "open")
            }
            defer { mdb_txn_abort(transaction) }
            let id = UInt64(mdb_txn_id(transaction))
            let meta = try readMeta(dataFile, of: id)
            guard meta.transactionID == id else { continue }
            var attributes = stat()
            guard fstat(dataFile, &attributes) == 0 else { throw .last(during: "open") }
            let check = FileCheck(
                file: dataFile, pageSize: meta.pageSize, pageCount: UInt64(attributes.st_size) / UInt64(meta.pageSize))
            try check.check(meta.free, isCatalog: false)
            try check.check(meta.main, isCatalog: true)
            return meta.mapSize
        }
        throw LMDBError(status: EAGAIN, during: "open")
    }

    /// The map size that the newer meta page records.
    static func recordedMapSize(_ dataFile: Int32) throws(LMDBError) -> Int {
        let (first, second) = (try readMeta(dataFile, of: 0), try readMeta(dataFile, of: 1))
        return first.transactionID > second.transactionID ? first.mapSize : second.mapSize
    }

    // MARK: Meta pages

    /// `MDB_meta`, as far as it is needed.
    private struct Meta {
        let pageSize: Int
        let mapSize: Int
        let free: Tree
        let main: Tree
        let transactionID: UInt64
    }

    /// `MDB_db`, as far as it is needed.
    private struct Tree {
        let depth: Int
        let branchPages: UInt64
        let root: UInt64

        /// `sizeof(MDB_db)`.
        static let byteCount = 48
        /// `P_INVALID`: the root of an empty tree.
        static let noPage = UInt64.max

        init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
            depth = Int(bytes.loadUnaligned(fromByteOffset: offset + 6, as: UInt16.self))
            branchPages = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            root = bytes.loadUnaligned(fromByteOffset: offset + 40, as: UInt64.self)
        }
    }

    /// `PAGEHDRSZ`: what stands before the content of a page.
    private static let headerByteCount = 16
    /// `PAGEHDRSZ` and `sizeof(MDB_meta)`.
    private static let metaByteCount = headerByteCount + 136

    /// Reads the meta page of that transaction: they alternate.
    private static func readMeta(_ file: Int32, of transactionID: UInt64) throws(LMDBError) -> Meta {
        // The place of the second depends on the page size, which the first knows. LMDB has checked both at opening.
        let first = try readMeta(file, at: 0)
        return transactionID & 1 == 0 ? first : try readMeta(file, at: first.pageSize)
    }

    private static func readMeta(_ file: Int32, at offset: Int) throws(LMDBError) -> Meta {
        let page = try read(file, byteCount: metaByteCount, at: offset)
        let meta = page.withUnsafeBytes { bytes in
            Meta(
                pageSize: Int(bytes.loadUnaligned(fromByteOffset: headerByteCount + 24, as: UInt32.self)),
                mapSize: Int(clamping: bytes.loadUnaligned(fromByteOffset: headerByteCount + 16, as: UInt64.self)),
                free: Tree(bytes, at: headerByteCount + 24),
                main: Tree(bytes, at: headerByteCount + 24 + Tree.byteCount),
                transactionID: bytes.loadUnaligned(fromByteOffset: headerByteCount + 128, as: UInt64.self))
        }
        // LMDB's `MAX_PAGESIZE`, and room for at least a header and a tree.
        guard (256...32_768).contains(meta.pageSize) else { throw damaged }
        return meta
    }

    // MARK: Trees

    private static var damaged: LMDBError { LMDBError(.corrupted, during: "check of the data file") }

    /// - Parameter isCatalog: Whether the leaves name further trees: those of the tables.
    private func check(_ tree: Tree, isCatalog: Bool) throws(LMDBError) {
        guard tree.root != Tree.noPage else { return }
        guard (1...Self.depthMax).contains(tree.depth) else { throw Self.damaged }
        // A loop of pages would visit more than there are.
        var branchPagesLeft = tree.branchPages
        try check(page: tree.root, level: tree.depth, isCatalog: isCatalog, &branchPagesLeft)
    }

    private func check(
        page number: UInt64, level: Int, isCatalog: Bool, _ branchPagesLeft: inout UInt64
    ) throws(LMDBError) {
        // Pages 0 and 1 are the meta pages.
        guard number >= 2, number < pageCount else { throw Self.damaged }
        guard level > 1 || isCatalog else { return }
        let page = try Page(Self.read(file, byteCount: pageSize, at: Int(number) * pageSize), number: number)
        guard page.isBranch == (level > 1) else { throw Self.damaged }
        guard page.isBranch else {
            for table in try page.tables() { try check(table, isCatalog: false) }
            return
        }
        guard branchPagesLeft > 0 else { throw Self.damaged }
        branchPagesLeft -= 1
        for child in try page.children() {
            try check(page: child, level: level - 1, isCatalog: isCatalog, &branchPagesLeft)
        }
    }

    /// `MDB_page`, a branch or a leaf.
    private struct Page {
        private let bytes: [UInt8]
        let isBranch: Bool
        private let nodeCount: Int

        /// `P_BRANCH`, `P_LEAF`, `F_SUBDATA`, `NODESIZE`.
        private static let branchFlag: UInt16 = 1
        private static let leafFlag: UInt16 = 2
        private static let tableFlag: UInt16 = 2
        private static let nodeHeaderByteCount = 8

        init(_ bytes: [UInt8], number: UInt64) throws(LMDBError) {
            let (own, flags, lower) = bytes.withUnsafeBytes {
                (
                    $0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 10, as: UInt16.self),
                    Int($0.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
                )
            }
            let kind = flags & (Self.branchFlag | Self.leafFlag)
            guard own == number, kind == Self.branchFlag || kind == Self.leafFlag else { throw FileCheck.damaged }
            guard (headerByteCount...bytes.count).contains(lower) else { throw FileCheck.damaged }
            self.bytes = bytes
            isBranch = kind == Self.branchFlag
            nodeCount = (lower - headerByteCount) / 2
        }

        /// The offsets of the nodes.
        private func nodes() throws(LMDBError) -> [Int] {
            let offsets = bytes.withUnsafeBytes { bytes in
                (0..<nodeCount).map {
                    Int(bytes.loadUnaligned(fromByteOffset: headerByteCount + 2 * $0, as: UInt16.self))
                }
            }
            guard offsets.allSatisfy({ $0 + Self.nodeHeaderByteCount <= bytes.count }) else { throw FileCheck.damaged }
            return offsets
        }

        /// The four half-words of a node's header: size or page (low, high), flags or page, key size.
        private func header(at offset: Int) -> (low: UInt64, high: UInt64, flags: UInt16, keyByteCount: Int) {
            bytes.withUnsafeBytes { bytes in
                func field(_ index: Int) -> UInt16 {
                    bytes.loadUnaligned(fromByteOffset: offset + 2 * index, as: UInt16.self)
                }
                return (UInt64(field(0)), UInt64(field(1)), field(2), Int(field(3)))
            }
        }

        /// The pages below a branch page.
        func children() throws(LMDBError) -> [UInt64] {
            try nodes().map { offset in
                let node = header(at: offset)
                return node.low | node.high << 16 | UInt64(node.flags) << 32
            }
        }

        /// The trees of the tables that a leaf of the catalogue names.
        func tables() throws(LMDBError) -> [Tree] {
            var tables: [Tree] = []
            for offset in try nodes() {
                let node = header(at: offset)
                guard node.flags & Self.tableFlag != 0 else { continue }
                let content = offset + Self.nodeHeaderByteCount + node.keyByteCount
                guard content + Tree.byteCount <= bytes.count else { throw FileCheck.damaged }
                tables.append(bytes.withUnsafeBytes { Tree($0, at: content) })
            }
            return tables
        }
    }

    /// Reads exactly that many bytes.
    private static func read(_ file: Int32, byteCount: Int, at offset: Int) throws(LMDBError) -> [UInt8] {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
            count = pread(file, buffer.baseAddress, byteCount, offset)
            filled = max(count, 0)
        }
        guard count >= 0 else { throw .last(during: "check of the data file") }
        guard count == byteCount else { throw damaged }
        return bytes
    }
}
