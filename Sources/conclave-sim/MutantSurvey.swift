#if CONCLAVE_MUTANTS
import Simulation
import Synchronization

/// Looks for the first seed that notices each planted mistake.
struct MutantSurvey {
    let run: SeedRun
    let mutants: [Mutant]
    let seeds: ClosedRange<UInt64>
    let jobs: Int

    /// - Returns: Whether a mutant survived.
    func execute() async -> Bool {
        let board = Board()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<jobs { group.addTask { await work(board) } }
        }
        let survivors = board.survivors.withLock { $0 }
        print("\(mutants.count - survivors.count) of \(mutants.count) mutants noticed within \(seeds.count) seeds")
        for mutant in survivors { print("survives: \(mutant)") }
        return !survivors.isEmpty
    }

    /// What the workers share.
    private final class Board: Sendable {
        let next = Mutex(0)
        let survivors = Mutex<[Mutant]>([])
    }

    @concurrent
    private func work(_ board: Board) async {
        while let mutant = board.next.withLock({ takeNext(&$0) }) {
            if let report = run.seedThatCatches(mutant, among: seeds), let finding = report.finding {
                print("\(mutant): \(report.seed - seeds.lowerBound + 1) seeds; \(finding.rule); replay: conclave-sim --seed \(report.seed) --events \(run.events) --only \(mutant) --trace")
            } else {
                print("\(mutant): SURVIVES \(seeds.count) seeds")
                board.survivors.withLock { $0.append(mutant) }
            }
        }
    }

    private func takeNext(_ next: inout Int) -> Mutant? {
        guard next < mutants.count else { return nil }
        defer { next += 1 }
        return mutants[next]
    }
}
#endif
