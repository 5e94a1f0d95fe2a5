/// A directory: which name stands for which file. Linear, for a log has tens of files and not thousands.
struct NameTable {
    struct Entry {
        let name: String
        let inode: Inode
    }

    /// In the order of a real directory's slots, which is not sorted.
    private(set) var entries: [Entry] = []

    subscript(name: String) -> Inode? { entries.first { $0.name == name }?.inode }

    mutating func apply(_ change: NameChange) {
        switch change {
        case .create(let name, let inode):
            entries.append(Entry(name: name, inode: inode))
        case .rename(let name, let newName):
            guard let inode = self[name], name != newName else { return }
            remove(newName)
            remove(name)
            entries.append(Entry(name: newName, inode: inode))
        case .remove(let name):
            remove(name)
        }
    }

    func mapInodes(_ transform: (Inode) -> Inode) -> NameTable {
        var table = NameTable()
        table.entries = entries.map { Entry(name: $0.name, inode: transform($0.inode)) }
        return table
    }

    private mutating func remove(_ name: String) {
        guard let position = entries.firstIndex(where: { $0.name == name }) else { return }
        entries.swapAt(position, entries.count - 1)
        entries.removeLast()
    }
}

enum NameChange {
    case create(String, Inode)
    case rename(String, to: String)
    case remove(String)

    func mapInode(_ transform: (Inode) -> Inode) -> NameChange {
        if case .create(let name, let inode) = self { .create(name, transform(inode)) } else { self }
    }
}

/// A change of names that is not on the medium yet.
struct PendingName {
    let change: NameChange
    /// Nil for a removal: nothing is lost when that is undone.
    let stamp: DiskStamp?
}
