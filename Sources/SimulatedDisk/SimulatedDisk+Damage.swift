/// Something that went wrong on the medium without a word to the node. A write that went wrong may not have been carried out at all when
/// a crash came first, and a later write may have repaired the damage: it says what can be wrong, not what is.
package struct Damage: Hashable, Sendable {
    package enum Kind: Hashable, Sendable, CaseIterable {
        case flipped, zeroed, stale, truncated
        /// Overwritten by a write that belonged elsewhere.
        case misdirected
        /// Not overwritten by a write that belonged here.
        case dropped
    }

    package let kind: Kind
    /// The name that the file had then.
    package let file: String
    package let range: Range<Int>
}

/// Damage to what the medium holds. A write that is not synced yet covers it up; a sync of that write repairs it.
///
/// - Precondition: The named file is there and the range is within it.
extension SimulatedDisk {
    /// - Parameter bit: 0...7.
    package func flipBit(_ bit: Int, of name: String, at offset: Int) {
        let inode = existing(name)
        inode.damage([inode.durable[offset] ^ 1 << UInt8(bit)], at: offset)
        counts.flippedBits += 1
        damages.append(Damage(kind: .flipped, file: name, range: offset..<offset + 1))
    }

    package func zeroSector(_ sector: Int, sectorByteCount: Int = 512, of name: String) {
        let inode = existing(name)
        let range = self.range(of: sector, sectorByteCount, in: inode)
        inode.damage([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
        counts.zeroedSectors += 1
        damages.append(Damage(kind: .zeroed, file: name, range: range))
    }

    /// A sector is again what it was in an earlier image: the medium lost every write since.
    ///
    /// - Precondition: The image has the sector in a file of this name.
    package func revertSector(_ sector: Int, sectorByteCount: Int = 512, of name: String, to image: DiskImage) {
        let inode = existing(name)
        let range = self.range(of: sector, sectorByteCount, in: inode)
        guard let bytes = image.bytes(of: name) else { preconditionFailure("no \(name) in the image") }
        inode.damage(Array(bytes[range]), at: range.lowerBound)
        counts.staleSectors += 1
        damages.append(Damage(kind: .stale, file: name, range: range))
    }

    package func truncate(_ name: String, to byteCount: Int) {
        let inode = existing(name)
        damages.append(Damage(kind: .truncated, file: name, range: byteCount..<inode.byteCount))
        inode.truncate(to: byteCount)
        counts.truncatedFiles += 1
    }

    /// Another disk, empty, is in the place of this one. Ends the process that used it.
    package func wipe() {
        replace(with: DiskImage(files: []))
        counts.wipes += 1
    }

    /// The disk is put back to what it was when the image was taken. Ends the process that used it.
    package func restore(_ image: DiskImage) {
        replace(with: image)
        counts.restores += 1
    }

    private func replace(with image: DiskImage) {
        life += 1
        cancelPlannedFaults()
        pendingNames.removeAll()
        damages.removeAll()
        names = NameTable()
        for file in image.files { names.apply(.create(file.name, Inode(onMedium: file.bytes))) }
        durableNames = names
    }

    private func existing(_ name: String) -> Inode {
        guard let inode = names[name] else { preconditionFailure("no file \(name) to damage") }
        return inode
    }

    private func range(of sector: Int, _ sectorByteCount: Int, in inode: Inode) -> Range<Int> {
        sector * sectorByteCount..<min((sector + 1) * sectorByteCount, inode.byteCount)
    }
}
