import Linearizability

/// An object that does one operation after the other, written without a look at the model that its histories are held against.
protocol SequentialObject {
    associatedtype M: Model
    static var model: M { get }
    init()
    mutating func execute(_ input: M.Input) -> M.Output
    /// - Parameter unique: A number that no other operation of the run is given.
    static func input(unique: UInt64, _ random: inout SplitMix) -> M.Input
}

/// A register that remembers everything that was written to it.
struct VersionedRegister: SequentialObject {
    static let model = RegisterModel(isVersioned: true)
    private var written: [UInt64] = [0]

    mutating func execute(_ input: RegisterModel.Input) -> RegisterModel.Output {
        let newest = UInt64(written.count - 1)
        switch input {
        case .get: return .read(written[written.count - 1], version: newest)
        case .put(let value):
            written.append(value)
            return .written(version: newest + 1)
        case .compareAndSet(.version(let version), let new):
            if version != newest { return .mismatch(value: nil, version: newest) }
            written.append(new)
            return .written(version: newest + 1)
        case .compareAndSet(.value(let value), let new):
            if value != written.last { return .mismatch(value: written.last, version: nil) }
            written.append(new)
            return .written(version: nil)
        }
    }

    static func input(unique: UInt64, _ random: inout SplitMix) -> RegisterModel.Input {
        switch random.below(10) {
        case 0..<4: .get
        case 4..<7: .put(unique)
        case 7: .compareAndSet(.value(UInt64(random.below(Int(unique)))), new: unique)
        default: .compareAndSet(.version(UInt64(random.below(Int(unique)))), new: unique)
        }
    }
}

/// A register that tells no versions.
struct PlainRegister: SequentialObject {
    static let model = RegisterModel(isVersioned: false)
    private var value: UInt64 = 0

    mutating func execute(_ input: RegisterModel.Input) -> RegisterModel.Output {
        switch input {
        case .get: return .read(value, version: nil)
        case .put(let new): value = new
        case .compareAndSet(let condition, let new):
            guard case .value(value) = condition else { return .mismatch(value: value, version: nil) }
            value = new
        }
        return .written(version: nil)
    }

    static func input(unique: UInt64, _ random: inout SplitMix) -> RegisterModel.Input {
        switch random.below(10) {
        case 0..<5: .get
        case 5..<8: .put(unique)
        default: .compareAndSet(.value(unique > 3 ? unique - 1 - UInt64(random.below(3)) : 0), new: unique)
        }
    }
}

struct Name: SequentialObject {
    static let model = NameModel()
    private var token: UInt64?
    private var isDeleted = false

    mutating func execute(_ input: NameModel.Input) -> NameModel.Output {
        switch input {
        case .look:
            guard let token else { return .found(.absent) }
            return .found(isDeleted ? .deleted(token: token) : .live(token: token))
        case .create(let new):
            if token == new, !isDeleted { return .done }
            if token != nil { return .refused }
            token = new
        case .delete:
            if token == nil || isDeleted { return .refused }
            isDeleted = true
        case .restore:
            if token == nil { return .refused }
            isDeleted = false
        case .purge:
            token = nil
            isDeleted = false
        }
        return .done
    }

    static func input(unique: UInt64, _ random: inout SplitMix) -> NameModel.Input {
        switch random.below(10) {
        case 0..<3: .create(token: unique)
        case 3..<5: .delete
        case 5..<7: .restore
        case 7: .purge
        default: .look
        }
    }
}

struct Labels: SequentialObject {
    static let model = LabelModel(initial: [LabelModel.Holder(.current, on: 1)])
    private var versions: [LabelModel.Label: UInt64] = [.current: 1]

    mutating func execute(_ input: LabelModel.Input) -> LabelModel.Output {
        switch input {
        case .read: return .holders(versions.keys.sorted().map { LabelModel.Holder($0, on: versions[$0] ?? 0) })
        case .move(let label, let from, let to):
            if to != nil, versions[label] == to { return .moved }
            if versions[label] != from || (from == nil && to == nil) || (label == .current && to == nil) { return .refused }
            versions[label] = to
            if label == .current, from != nil { versions[.previous] = from }
            return .moved
        }
    }

    static func input(unique: UInt64, _ random: inout SplitMix) -> LabelModel.Input {
        func version() -> UInt64? { random.chance(percent: 25) ? nil : UInt64(1 + random.below(3)) }
        if random.chance(percent: 40) { return .read }
        let label: LabelModel.Label = [.current, .current, .previous, .pending, .other(7)][random.below(5)]
        return .move(label, from: version(), to: version())
    }
}
