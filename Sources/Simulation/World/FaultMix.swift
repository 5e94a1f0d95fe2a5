import Raft
import Sessions

/// A kind of trouble that the world can make at one moment. Steady troubles, such as loss of messages, are rates in the ``FaultMix``.
enum Fault: CaseIterable, Sendable {
    // Network
    case partitionHalves, partitionBridge, partitionOneWay, partitionRandomLinks, isolateLeader, swizzle, flap, connectionReset
    // Processes
    case crash, crashLeader, crashBetweenEffects, crashDuringRecovery, crashAll, pause, pauseLeader
    // Disks
    case diskSlow, diskHang, diskFailure, diskFull, damage, wipe
    // Clocks
    case clockJump
    // Orders that a healthy cluster has to bear too
    case transfer, campaign, connectionNews, recheck
    // Trouble that waits for its moment
    case ambushMembership, ambushHandOver
}

/// What one run is like, drawn from its seed: each kind of fault is on or off, so that some runs are dense in few of them (swarm testing).
struct FaultMix: Sendable {
    var nodeCount = 3
    var foundingLearners = 0

    // MARK: Network

    var delayMean = Interval.milliseconds(1)
    var dropPerMille = 0
    var duplicatePerMille = 0
    var longDelayPerMille = 0
    /// Messages between two nodes keep their order, as in one connection.
    var isOrdered = true
    var clientDropPerMille = 0

    // MARK: Troubles

    /// The faults that are on, each as often as its weight says.
    var faults: [Fault] = []
    var nemesisInterval = Interval.milliseconds(1_000)
    /// A mean for how long a partition, a pause or an outage lasts.
    var troubleMean = Interval.milliseconds(2_000)
    /// Millionths by which clocks may run fast or slow.
    var driftMax = 500
    /// Crashes that are power cuts rather than ends of a process.
    var powerCutPerMille = 500
    var damagedChunkPerMille = 0

    // MARK: Operator

    /// Membership changes and upgrades happen, about this often.
    var operatorInterval: Interval?
    /// Programs of level 0 at first, which are replaced by newer ones one by one.
    var hasUpgrade = false

    // MARK: Nodes

    var settings = Settings()
    var syncMean = Interval.milliseconds(1)
    var applyMean = Interval.milliseconds(1)
    var checkpointMean = Interval.milliseconds(200)
    var segmentByteCount = 16_384
    var logCacheByteCount = 4_096
    /// Images of one state made by two nodes differ in their bytes.
    var imagesDiffer = false

    // MARK: Clients

    var clientCount = 3
    var keyCount = 2
    var thinkMean = Interval.milliseconds(200)
    var readPerMille = 400
    var compareAndSetPerMille = 200
    var paddingMax = 64
    var attemptsMax = 6
    /// The same on all nodes; often so small that sessions are evicted, windows are passed and replies are forgotten.
    var sessions = SessionSettings()
    /// Writes after whose answer the client's mark stays where it is.
    var lazyMarkPerMille = 0

    init(rng: inout SplitMix) {
        nodeCount = rng.one(of: [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7])
        if nodeCount > 3, rng.chance(perMille: 300) { foundingLearners = 1 }
        drawSettings(&rng)
        drawNetwork(&rng)
        drawTroubles(&rng)
        drawClients(&rng)
    }

    var electionTimeout: Interval { settings.electionTimeout }

    private mutating func drawSettings(_ rng: inout SplitMix) {
        let scale = rng.one(of: [300, 1_000, 1_000, 2_000] as [UInt64])
        settings.electionTimeout = .milliseconds(scale)
        settings.heartbeatInterval = .milliseconds(scale / UInt64(rng.one(of: [3, 5, 10])))
        settings.diskStallTimeout = .milliseconds(scale * 2)
        settings.retryInterval = .milliseconds(scale / 3)
        settings.unknownOutcomeTimeout = .milliseconds(scale * 2)
        settings.usesLeases = rng.chance(perMille: 350)
        settings.featureLevelMax = 1
        settings.limits.appendBytesMax = rng.one(of: [120, 400, 4_096])
        settings.limits.inflightAppendsMax = rng.one(of: [1, 2, 4, 32])
        settings.limits.inflightBytesMax = rng.one(of: [200, 1_000, 100_000])
        settings.limits.uncommittedBytesMax = rng.one(of: [1_000, 5_000, 1_000_000])
        settings.limits.unappliedEntriesMax = rng.one(of: [4, 20, 1_000])
        settings.limits.catchUpEntriesMax = rng.one(of: [5, 50])
        settings.limits.trailingEntries = UInt64(rng.one(of: [0, 3, 10, 100, 1_000]))
        settings.limits.compactionStep = UInt64(rng.one(of: [1, 4, 20]))
        settings.limits.snapshotChunkBytes = rng.one(of: [40, 200, 4_096])
        settings.limits.readsMax = rng.one(of: [2, 100])
        settings.limits.proposalsMax = rng.one(of: [3, 100])
        settings.limits.forwardOriginsMax = rng.one(of: [3, 64])
        settings.limits.writeMarksMax = rng.one(of: [2, 1_024])
        syncMean = Interval(nanoseconds: scale * rng.one(of: [200, 1_000, 10_000, 50_000]))
        applyMean = Interval(nanoseconds: scale * rng.one(of: [50, 500, 20_000]))
        checkpointMean = Interval(nanoseconds: scale * rng.one(of: [50_000, 200_000, 1_000_000]))
        segmentByteCount = rng.one(of: [16_384, 20_480, 65_536])
        logCacheByteCount = rng.one(of: [500, 4_096, 1_000_000])
        imagesDiffer = rng.chance(perMille: 400)
        driftMax = settings.usesLeases ? rng.one(of: [500, 20_000]) : rng.one(of: [500, 50_000])
    }

    private mutating func drawNetwork(_ rng: inout SplitMix) {
        delayMean = Interval(nanoseconds: electionTimeout.nanoseconds / rng.one(of: [2_000, 500, 50, 20]))
        if rng.chance(perMille: 400) { dropPerMille = rng.one(of: [2, 20, 100, 250]) }
        if rng.chance(perMille: 400) { duplicatePerMille = rng.one(of: [5, 50, 300]) }
        if rng.chance(perMille: 400) { longDelayPerMille = rng.one(of: [1, 10, 50]) }
        isOrdered = rng.chance(perMille: 500)
        if rng.chance(perMille: 400) { clientDropPerMille = rng.one(of: [10, 100, 300]) }
        if rng.chance(perMille: 300) { damagedChunkPerMille = rng.one(of: [20, 200]) }
    }

    private mutating func drawTroubles(_ rng: inout SplitMix) {
        let timeout = electionTimeout.nanoseconds
        for fault in Fault.allCases where rng.chance(perMille: 350) {
            for _ in 0..<rng.within(1...4) { faults.append(fault) }
        }
        if settings.usesLeases { faults.removeAll { $0 == .clockJump } }
        nemesisInterval = Interval(nanoseconds: timeout * rng.one(of: [1, 3, 10]) / 2)
        troubleMean = Interval(nanoseconds: timeout * rng.one(of: [1, 4, 10]) / 2)
        powerCutPerMille = rng.one(of: [100, 500, 900])
        if rng.chance(perMille: 500) { operatorInterval = Interval(nanoseconds: timeout * rng.one(of: [1, 3, 10])) }
        hasUpgrade = rng.chance(perMille: 250)
    }

    private mutating func drawClients(_ rng: inout SplitMix) {
        clientCount = rng.within(1...5)
        keyCount = rng.within(1...4)
        thinkMean = Interval(nanoseconds: electionTimeout.nanoseconds / rng.one(of: [1, 5, 30, 100]))
        readPerMille = rng.one(of: [100, 400, 700])
        compareAndSetPerMille = rng.one(of: [0, 200, 500])
        paddingMax = rng.one(of: [1, 64, 300])
        attemptsMax = rng.within(2...10)
        sessions.sessionCountMax = rng.one(of: [2, 4, 64])
        sessions.windowWidth = rng.one(of: [1, 2, 4, 256])
        sessions.outcomeByteCountMax = rng.one(of: [1, 8, 65_536])
        lazyMarkPerMille = rng.one(of: [0, 300, 900])
    }

    /// All of the numbers above that differ between a calm world and this one, for the head of a trace.
    var description: String {
        "nodes=\(nodeCount) learners=\(foundingLearners) timeout=\(electionTimeout) leases=\(settings.usesLeases) delay=\(delayMean.nanoseconds)ns "
            + "drop=\(dropPerMille) duplicate=\(duplicatePerMille) longDelay=\(longDelayPerMille) ordered=\(isOrdered) "
            + "nemesis=\(nemesisInterval) trouble=\(troubleMean) operator=\(operatorInterval?.description ?? "none") upgrade=\(hasUpgrade) "
            + "sync=\(syncMean.nanoseconds)ns segment=\(segmentByteCount) clients=\(clientCount) faults=\(faults)"
    }
}
