import ArgumentParser
import Simulation

/// Runs simulated clusters from seeds and says which seeds break a promise.
@main
struct ConclaveSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-sim",
        abstract: "Runs whole Conclave clusters under faults, in one process, from a seed.",
        discussion: """
            conclave-sim --seeds 1..1000               a thousand clusters; one line for each seed that fails
            conclave-sim --seed 17 --trace             one of them, step by step
            conclave-sim --mutants --seeds-max 500     does the simulator notice each planted mistake?
            """)

    @Option(help: "Seeds from A through B, as A..B.")
    var seeds: SeedRange?

    @Option(help: "One seed.")
    var seed: UInt64?

    @Flag(help: "Print everything that happens. Needs --seed.")
    var trace = false

    @Option(help: "Events of each run under faults.")
    var events = 20_000

    @Option(help: "Threads, 1 or 2. Each seed runs on one.")
    var jobs = 1

    @Flag(help: "Build in one planted mistake after the other and look for a seed that notices it.")
    var mutants = false

    @Option(help: "With --mutants: only these mistakes, separated by commas. With --seed: this one.")
    var only: String?

    @Flag(help: "With --seeds: fail also if one of the rare things that are counted never happened.")
    var wholeCoverage = false

    @Option(help: "With --mutants: so many seeds for each.")
    var seedsMax: UInt64 = 1_000

    @Option(help: "With --mutants: the first of them.")
    var seedsFirst: UInt64 = 1

    mutating func validate() throws {
        guard [seeds != nil, seed != nil, mutants].filter({ $0 }).count == 1 else {
            throw ValidationError("Say one of --seeds A..B, --seed X and --mutants.")
        }
        guard !trace || seed != nil else { throw ValidationError("--trace prints one run: say which with --seed.") }
        guard (1...2).contains(jobs) else { throw ValidationError("--jobs is 1 or 2.") }
        guard (100...100_000_000).contains(events) else { throw ValidationError("--events is between 100 and 100000000.") }
        guard !wholeCoverage || seeds != nil else { throw ValidationError("--whole-coverage goes with --seeds.") }
        guard (1...1_000_000).contains(seedsMax), seedsFirst < 1 << 62 else { throw ValidationError("--seeds-max is between 1 and 1000000.") }
        guard only == nil || seeds == nil else { throw ValidationError("--only goes with --mutants or --seed.") }
        #if !CONCLAVE_MUTANTS
        guard !mutants && only == nil else {
            throw ValidationError("This build has no mutants in it: build with `swift build -c release -Xswiftc -DCONCLAVE_MUTANTS`.")
        }
        #endif
    }

    func run() async throws {
        let run = SeedRun(events: events) { SafetyChecker() }
        let hasFailed: Bool
        if let seed {
            hasFailed = try runOne(seed, run)
        } else if let seeds {
            hasFailed = await SeedSweep(run: run, seeds: seeds.range, jobs: jobs, wholeCoverage: wholeCoverage).execute()
        } else {
            hasFailed = try await runMutants(run)
        }
        if hasFailed { throw ExitCode(1) }
    }

    private func runOne(_ seed: UInt64, _ run: SeedRun) throws -> Bool {
        let sink: ((String) -> Void)? = trace ? { print($0) } : nil
        #if CONCLAVE_MUTANTS
        let report = run.run(seed: seed, mutant: try only.map(mutant(named:)), trace: sink)
        #else
        let report = run.run(seed: seed, trace: sink)
        #endif
        if let finding = report.finding {
            print("seed \(seed) fails: \(finding)")
            return true
        }
        print("seed \(seed) passes: \(report.events) events, \(report.operations) operations, \(report.time)")
        return false
    }

    #if CONCLAVE_MUTANTS
    private func mutant(named name: String) throws -> Mutant {
        guard let mutant = Mutant(named: name) else { throw ValidationError("There is no mutant \(name); --mutants lists them all.") }
        return mutant
    }

    private func runMutants(_ run: SeedRun) async throws -> Bool {
        let chosen = try only.map { try $0.split(separator: ",").map { try mutant(named: String($0)) } } ?? Mutant.allCases
        return await MutantSurvey(run: run, mutants: chosen, seeds: seedsFirst...seedsFirst + seedsMax - 1, jobs: jobs).execute()
    }
    #else
    private func runMutants(_ run: SeedRun) async throws -> Bool { false }
    #endif
}

/// "A..B", both included.
struct SeedRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init?(argument: String) {
        guard let dots = argument.firstRange(of: ".."), let first = UInt64(argument[..<dots.lowerBound]),
            let last = UInt64(argument[dots.upperBound...]), first <= last
        else { return nil }
        range = first...last
    }
}
