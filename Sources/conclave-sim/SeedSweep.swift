import Foundation
import Simulation
import Synchronization

/// Runs many seeds and prints what they came to.
struct SeedSweep {
    let run: SeedRun
    let seeds: ClosedRange<UInt64>
    let jobs: Int
    /// Whether a mark that was never reached is a failure.
    let wholeCoverage: Bool

    private struct Sums {
        var next: UInt64
        var seeds = 0
        var events = 0
        var operations = 0
        var virtualNanoseconds: UInt64 = 0
        var failed: [SeedReport] = []
        var coverage = Coverage()

        mutating func add(_ report: SeedReport) {
            seeds += 1
            events += report.events
            operations += report.operations
            virtualNanoseconds += report.time.nanoseconds
            coverage.add(report.coverage)
            if report.finding != nil { failed.append(report) }
        }
    }

    /// - Returns: Whether a seed failed, or the coverage is not whole and had to be.
    func execute() async -> Bool {
        let board = Board(next: seeds.lowerBound)
        let begin = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<jobs { group.addTask { await work(board) } }
        }
        let sums = board.sums.withLock { $0 }
        print(sums, since: begin)
        let missing = wholeCoverage ? sums.coverage.missing : []
        for mark in missing { print("never happened: \(mark)") }
        return !sums.failed.isEmpty || !missing.isEmpty
    }

    /// What the workers share.
    private final class Board: Sendable {
        let sums: Mutex<Sums>

        init(next: UInt64) { sums = Mutex(Sums(next: next)) }
    }

    @concurrent
    private func work(_ board: Board) async {
        while let seed = board.sums.withLock({ takeNext(&$0) }) {
            let report = run.run(seed: seed)
            board.sums.withLock { sums in
                sums.add(report)
                if let finding = report.finding { print(failureLine(report, finding)) }
                if sums.seeds % 100 == 0 { FileHandle.standardError.write(Data("\(sums.seeds) of \(seeds.count) seeds, \(sums.failed.count) failed\n".utf8)) }
            }
        }
    }

    private func takeNext(_ sums: inout Sums) -> UInt64? {
        guard sums.next <= seeds.upperBound else { return nil }
        defer { sums.next += 1 }
        return sums.next
    }

    private func failureLine(_ report: SeedReport, _ finding: Finding) -> String {
        "\(finding)\n    replay: conclave-sim --seed \(report.seed) --events \(run.events) --trace"
    }

    /// At once: a long run may be ended before its buffer is full.
    private func print(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private func print(_ sums: Sums, since begin: ContinuousClock.Instant) {
        let wall = (ContinuousClock.now - begin) / .seconds(1)
        let virtual = Double(sums.virtualNanoseconds) / 1e9
        print("\(sums.seeds) seeds, \(sums.failed.count) failed; \(sums.events) events, \(sums.operations) operations, \(Int(virtual)) virtual seconds")
        print("\(Int(wall)) s: \(Int(Double(sums.events) / wall)) events/s, \(Int(virtual / wall)) virtual seconds per second")
        let rules = sums.failed.compactMap(\.finding?.rule)
        for rule in Set(rules).sorted() { print("  failed by \(rule): \(rules.count { $0 == rule })") }
        for mark in CoverageMark.allCases { print("  \(mark): \(sums.coverage[mark])") }
    }
}
