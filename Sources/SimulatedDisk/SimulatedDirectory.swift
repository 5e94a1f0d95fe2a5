package import WriteAheadLog

/// What one process of the node sees of its ``SimulatedDisk``.
package struct SimulatedDirectory: LogDirectory {
    let disk: SimulatedDisk
    let life: Int

    package func names() throws(FileFault) -> [String] {
        try disk.begin(.list, life: life)
        return disk.names.entries.map(\.name)
    }

    package func create(_ name: String, byteCount: Int) throws(FileFault) -> SimulatedFile {
        try disk.begin(.create, life: life)
        guard disk.names[name] == nil else { throw .exists }
        guard byteCount <= disk.byteCountMax - disk.names.entries.reduce(0, { $0 + $1.inode.byteCount }) else {
            disk.counts.failures += 1
            throw .noSpace
        }
        let inode = Inode(byteCount: byteCount)
        change(.create(name, inode), stamp: disk.nextStamp())
        return SimulatedFile(disk: disk, inode: inode, life: life)
    }

    package func open(_ name: String) throws(FileFault) -> SimulatedFile {
        try disk.begin(.open, life: life)
        guard let inode = disk.names[name] else { throw .missing }
        return SimulatedFile(disk: disk, inode: inode, life: life)
    }

    package func rename(_ name: String, to newName: String) throws(FileFault) {
        try disk.begin(.rename, life: life)
        guard disk.names[name] != nil else { throw .missing }
        change(.rename(name, to: newName), stamp: disk.nextStamp())
    }

    package func remove(_ name: String) throws(FileFault) {
        try disk.begin(.remove, life: life)
        guard disk.names[name] != nil else { throw .missing }
        change(.remove(name), stamp: nil)
    }

    package func sync() throws(FileFault) {
        // Names go through the file system's own journal. When that fails they are as they were: not on the medium yet.
        try disk.begin(.syncDirectory, life: life)
        disk.counts.directorySyncs += 1
        if disk.syncsLie { return }
        disk.durableNames = disk.names
        disk.pendingNames.removeAll(keepingCapacity: true)
    }

    private func change(_ change: NameChange, stamp: DiskStamp?) {
        disk.names.apply(change)
        disk.pendingNames.append(PendingName(change: change, stamp: stamp))
    }
}

/// An open file of a ``SimulatedDisk``.
package final class SimulatedFile: LogFile {
    private let disk: SimulatedDisk
    private let inode: Inode
    private let life: Int

    init(disk: SimulatedDisk, inode: Inode, life: Int) {
        self.disk = disk
        self.inode = inode
        self.life = life
    }

    package var byteCount: Int { inode.byteCount }

    package func read(at offset: Int, byteCount: Int) throws(FileFault) -> [UInt8] {
        try disk.begin(.read, life: life)
        return try inode.read(at: offset, byteCount: byteCount)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFault) {
        var failure: FileFault?
        do { try disk.begin(.write, life: life) } catch { failure = error }
        guard offset >= 0, offset <= inode.byteCount - bytes.count else { throw .beyondEnd }
        disk.counts.writes += 1
        disk.counts.bytesWritten += bytes.count
        let place = failure == nil ? disk.place(bytes.count, at: offset, of: inode) : offset
        // How far a failed write came, nobody knows: it is left to the crash that must follow.
        let stamp = disk.nextStamp()
        disk.newestWrite = stamp
        inode.write(PendingWrite(stamp: stamp, offset: offset, mediumOffset: place, bytes: [UInt8](bytes), isAbandoned: failure != nil))
        if let failure { throw failure }
    }

    package func sync() throws(FileFault) {
        do { try disk.begin(.syncFile, life: life) } catch {
            inode.abandonPending()
            throw error
        }
        disk.counts.fileSyncs += 1
        if !disk.syncsLie { inode.sync() }
    }
}
