/// What one seed came to.
package struct SeedReport: Sendable {
    package let seed: UInt64
    package let finding: Finding?
    package let events: Int
    package let operations: Int
    package let time: VirtualTime
    package let coverage: Coverage
}

/// Runs whole worlds, each by itself: a seed has the same outcome alone and among others, in any order and on any thread.
package struct SeedRun: Sendable {
    /// Events of the first two phases.
    package var events: Int
    /// Makes the checks of one run.
    package var makeObserver: @Sendable () -> any WorldObserver

    package init(events: Int, makeObserver: @escaping @Sendable () -> any WorldObserver) {
        self.events = events
        self.makeObserver = makeObserver
    }

    /// - Parameter trace: Takes each line of the run.
    package func run(seed: UInt64, trace: ((String) -> Void)? = nil) -> SeedReport {
        run(World(seed: seed, observer: makeObserver()), trace)
    }

    #if CONCLAVE_MUTANTS
    package func run(seed: UInt64, mutant: Mutant?, trace: ((String) -> Void)? = nil) -> SeedReport {
        run(World(seed: seed, observer: makeObserver(), mutant: mutant), trace)
    }

    /// The first seed that notices the mutant, or nil when none of them does.
    package func seedThatCatches(_ mutant: Mutant, among seeds: ClosedRange<UInt64>) -> SeedReport? {
        for seed in seeds {
            let report = run(seed: seed, mutant: mutant)
            if report.finding != nil { return report }
        }
        return nil
    }
    #endif

    private func run(_ world: World, _ trace: ((String) -> Void)?) -> SeedReport {
        world.trace = trace
        var finding: Finding?
        do throws(Finding) { try world.run(events: events) } catch { finding = error }
        if let finding { trace?("finding: \(finding)") }
        return SeedReport(
            seed: world.seed, finding: finding, events: world.eventCount, operations: world.history.count, time: world.now,
            coverage: world.coverage)
    }
}
