import SimulatedDisk

/// A disk as a list of everything that may be found after a crash: slow, and too simple to be wrong.
///
/// Each sector has all the versions it had since its last sync, each directory all its states.
struct ModelDisk {
    struct File {
        /// The oldest is on the medium, the newest is what a read gives.
        var sectors: [[[UInt8]]]
        var wasSynced: Bool

        var visible: [UInt8] { sectors.flatMap { $0[$0.count - 1] } }
        var durable: [UInt8] { wasSynced ? sectors.flatMap { $0[0] } : [] }
    }

    let sectorByteCount: Int
    /// Files by number, and never forgotten.
    private(set) var files: [File] = []
    /// By name the number of a file; the oldest is on the medium, the newest is in force.
    private(set) var directories: [[String: Int]] = [[:]]
    private var newestWrite: (file: Int, sectors: ClosedRange<Int>)?

    init(sectorByteCount: Int) { self.sectorByteCount = sectorByteCount }

    var names: [String: Int] { directories[directories.count - 1] }

    private func split(_ bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: sectorByteCount).map { Array(bytes[$0..<min($0 + sectorByteCount, bytes.count)]) }
    }

    // MARK: Calls

    mutating func create(_ name: String, byteCount: Int) {
        files.append(File(sectors: split([UInt8](repeating: 0, count: byteCount)).map { [$0] }, wasSynced: false))
        let number = files.count - 1
        change { $0[name] = number }
    }

    mutating func rename(_ name: String, to newName: String) {
        change { names in
            guard name != newName else { return }
            names[newName] = names[name]
            names[name] = nil
        }
    }

    mutating func remove(_ name: String) { change { $0[name] = nil } }

    private mutating func change(_ body: (inout [String: Int]) -> Void) {
        var next = names
        body(&next)
        directories.append(next)
        newestWrite = nil
    }

    mutating func syncDirectory() { directories = [names] }

    mutating func write(_ bytes: [UInt8], at offset: Int, of file: Int) {
        var whole = files[file].visible
        whole.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let touched = offset / sectorByteCount...(offset + bytes.count - 1) / sectorByteCount
        let parts = split(whole)
        for sector in touched { files[file].sectors[sector].append(parts[sector]) }
        newestWrite = (file, touched)
    }

    mutating func sync(_ file: Int) {
        files[file].sectors = files[file].sectors.map { [$0[$0.count - 1]] }
        files[file].wasSynced = true
        if newestWrite?.file == file { newestWrite = nil }
    }

    // MARK: What a crash may leave

    /// Nil when the image is one of those that a power cut may leave, else what is wrong with it.
    func objection(to image: DiskImage) -> String? {
        let fitting = directories.filter { $0.keys.sorted() == image.files.map(\.name) }
        if fitting.isEmpty { return "no directory ever was \(image.files.map(\.name))" }
        let isPossible = fitting.contains { names in image.files.allSatisfy { mayBe(names[$0.name], $0.bytes) } }
        return isPossible ? nil : "some sector never was what it is"
    }

    private func mayBe(_ number: Int?, _ bytes: [UInt8]) -> Bool {
        guard let number else { return false }
        let file = files[number]
        let parts = split(bytes)
        let byteCount = file.visible.count
        if bytes.count != byteCount && (file.wasSynced || bytes.count > byteCount || bytes.count % sectorByteCount != 0) { return false }
        return zip(parts, file.sectors).allSatisfy { $1.contains($0) }
    }

    /// Takes back the part of the newest write that a killed process did not get to. False when the image shows anything else.
    mutating func adoptShortWrite(_ image: DiskImage) -> Bool {
        if let newestWrite {
            guard let name = names.first(where: { $0.value == newestWrite.file })?.key, let bytes = image.bytes(of: name) else { return false }
            let parts = split(bytes)
            for sector in newestWrite.sectors {
                let versions = files[newestWrite.file].sectors[sector]
                if parts[sector] != versions[versions.count - 1] { files[newestWrite.file].sectors[sector].removeLast() }
            }
        }
        newestWrite = nil
        return visible == image
    }

    /// After a power cut only what is there is there.
    mutating func adopt(_ image: DiskImage) {
        files = image.files.map { File(sectors: split($0.bytes).map { [$0] }, wasSynced: true) }
        directories = [Dictionary(uniqueKeysWithValues: image.files.enumerated().map { ($1.name, $0) })]
        newestWrite = nil
    }

    var visible: DiskImage { image(names) { $0.visible } }
    var durable: DiskImage { image(directories[0]) { $0.durable } }

    private func image(_ names: [String: Int], _ bytes: (File) -> [UInt8]) -> DiskImage {
        DiskImage(files: names.keys.sorted().map { DiskImage.File(name: $0, bytes: bytes(files[names[$0] ?? 0])) })
    }
}
