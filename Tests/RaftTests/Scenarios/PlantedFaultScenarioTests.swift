#if CONCLAVE_MUTANTS
import Raft
import Testing

/// The transcripts as judges: a core that breaks one rule must leave another trace, or break a promise, in at least one of them.
@Suite("scenarios notice planted faults")
struct PlantedFaultScenarioTests {
    /// The first transcript, in order of names, that a cluster with the fault does not get through.
    private static func transcriptThatNotices(_ fault: PlantedFault) -> Transcript? {
        Transcript.all.first { transcript in
            let scenario = Scenario()
            scenario.plantedFault = fault
            do { try transcript.run(in: scenario) } catch { return true }
            return false
        }
    }

    @Test("some transcript notices", .enabled(if: !Transcript.isRewriting), arguments: PlantedFault.allCases)
    func isNoticed(fault: PlantedFault) {
        #expect(Self.transcriptThatNotices(fault) != nil, "\(fault.rawValue) goes unnoticed")
    }
}
#endif
