import Linearizability

/// A history of clients that share sequential objects: each operation is executed at one moment between its call and its return.
struct HistoryMaker<Object: SequentialObject> {
    typealias Entry = Operation<UInt64, Object.M>

    private enum Stage {
        case idle
        case called(Int)
        case executed(Int, Object.M.Output)
    }

    var clientCount = 5
    var keyCount = 3
    /// Of operations: how many end without an answer, executed or not, and how many are refused.
    var infoPercent = 4
    var failPercent = 4

    private var random: SplitMix
    private var objects: [Object] = []
    private var operations: [Entry] = []
    /// What was executed, by position: index, and whether it was.
    private(set) var effects: [Int: UInt64] = [:]

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func make(count: Int) -> History<UInt64, Object.M> {
        objects = Array(repeating: Object(), count: keyCount)
        var clients = Array(repeating: Stage.idle, count: clientCount)
        var names = Array(0..<clientCount)
        var time: UInt64 = 0
        var index: UInt64 = 0
        while operations.count < count || clients.contains(where: { if case .idle = $0 { false } else { true } }) {
            // Some moments are shared.
            if random.chance(percent: 80) { time += 1 }
            let number = random.below(clientCount)
            switch clients[number] {
            case .idle:
                guard operations.count < count else { continue }
                call(client: names[number], at: time)
                clients[number] = .called(operations.count - 1)
            case .called(let position):
                if random.chance(percent: failPercent) {
                    operations[position].outcome = .fail
                    operations[position].returned = time
                    clients[number] = .idle
                    continue
                }
                // Gone, and the client that asked never asks again.
                let isGone = random.chance(percent: infoPercent)
                if isGone, random.chance(percent: 50) {
                    clients[number] = .idle
                    names[number] += clientCount
                    continue
                }
                let operation = operations[position]
                if !Object.model.isRead(operation.input) { index += 1 }
                effects[position] = index
                let output = objects[Int(operation.key)].execute(operation.input)
                clients[number] = isGone ? .idle : .executed(position, output)
                if isGone { names[number] += clientCount }
            case .executed(let position, let output):
                operations[position].outcome = .ok(output)
                operations[position].returned = time
                operations[position].logIndex = effects[position]
                clients[number] = .idle
            }
        }
        return History(model: Object.model, operations: operations)
    }

    private mutating func call(client: Int, at time: UInt64) {
        let input = Object.input(unique: UInt64(operations.count + 1), &random)
        let key = UInt64(random.below(keyCount))
        operations.append(Entry(client: client, key: key, input: input, called: time, returned: nil, outcome: .info))
    }

    /// What the final log says.
    func fate(_ number: Int) -> Fate { effects[number].map { .present(logIndex: $0) } ?? .absent }
}
