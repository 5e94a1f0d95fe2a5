import SimulatedDisk
import Testing
import WriteAheadLog

/// A disk and its model under the same calls and crashes, all drawn from one seed.
struct RandomHistory {
    let disk = SimulatedDisk()
    private var model: ModelDisk
    private var random: SplitMix
    private var directory: SimulatedDirectory
    private var marker: UInt8 = 0

    init(seed: UInt64) {
        random = SplitMix(seed: seed)
        model = ModelDisk(sectorByteCount: seed % 2 == 0 ? 512 : 4_096)
        directory = disk.open()
    }

    private static let names = ["a", "b", "c", "d"]

    mutating func run(lives: Int, callsPerLife: Int) throws {
        for _ in 0..<lives {
            for _ in 0..<callsPerLife { try call() }
            try #require(disk.visibleImage == model.visible)
            try #require(disk.image == model.durable)
            try crash()
            directory = disk.open()
        }
    }

    private mutating func call() throws {
        try #require(Set(directory.names()) == Set(model.names.keys))
        let name = Self.names[random.below(Self.names.count)]
        let choice = random.below(100)
        if choice < 6 { return try syncDirectory() }
        guard let number = model.names[name] else { return try create(name) }
        switch choice {
        case ..<50: try write(name, number)
        case ..<65: try read(name, number)
        case ..<85:
            try directory.open(name).sync()
            model.sync(number)
        case ..<93:
            let newName = Self.names[random.below(Self.names.count)]
            try directory.rename(name, to: newName)
            model.rename(name, to: newName)
        default:
            try directory.remove(name)
            model.remove(name)
        }
    }

    private mutating func syncDirectory() throws {
        try directory.sync()
        model.syncDirectory()
    }

    private mutating func create(_ name: String) throws {
        let byteCount = 1 + random.below(20_000)
        _ = try directory.create(name, byteCount: byteCount)
        model.create(name, byteCount: byteCount)
    }

    private mutating func write(_ name: String, _ number: Int) throws {
        let file = try directory.open(name)
        guard file.byteCount > 0 else { return }
        let offset = random.below(file.byteCount)
        let byteCount = 1 + random.below(min(file.byteCount - offset, random.below(2) == 0 ? 100 : 15_000))
        marker &+= 1
        let bytes = (0..<byteCount).map { marker &+ UInt8(truncatingIfNeeded: $0 / 256) }
        try file.write(bytes, at: offset)
        model.write(bytes, at: offset, of: number)
    }

    private mutating func read(_ name: String, _ number: Int) throws {
        let file = try directory.open(name)
        let offset = random.below(file.byteCount + 1)
        let byteCount = random.below(file.byteCount - offset + 1)
        try #require(try file.read(at: offset, byteCount: byteCount) == Array(model.files[number].visible[offset..<offset + byteCount]))
    }

    private mutating func crash() throws {
        let tearing: CrashMode = model.sectorByteCount == 512 ? .powerTearing512 : .powerTearing4096
        let modes = [tearing, tearing, .process, .powerKeepingAll, .powerLosingAll]
        let mode = modes[random.below(modes.count)]
        disk.crash(mode, rng: &random)
        switch mode {
        case .process:
            let isAdopted = model.adoptShortWrite(disk.visibleImage)
            try #require(isAdopted)
            try #require(disk.image == model.durable)
            return
        case .powerKeepingAll: try #require(disk.image == model.visible)
        case .powerLosingAll: try #require(disk.image == model.durable)
        case .powerTearing512, .powerTearing4096: try #require(model.objection(to: disk.image) == nil)
        }
        try #require(disk.visibleImage == disk.image)
        try #require(disk.durableStamp == disk.lastStamp)
        model.adopt(disk.image)
    }
}
