import Foundation
import Raft

/// The seeds to run, from `RAFT_SEEDS=from..to`.
func seedRange(of variable: String = "RAFT_SEEDS") -> Range<UInt64>? {
    guard let text = ProcessInfo.processInfo.environment[variable] else { return nil }
    let ends = text.split(separator: "..").compactMap { UInt64($0) }
    return ends.count == 2 && ends[0] <= ends[1] ? ends[0]..<ends[1] : nil
}

/// The seed to print step by step, from `RAFT_TRACE=seed`.
func tracedSeed() -> UInt64? { ProcessInfo.processInfo.environment["RAFT_TRACE"].flatMap { UInt64($0) } }

/// Seeds for the survey of planted faults, from `RAFT_MUTANTS=from..to`.
func mutantSeeds() -> Range<UInt64>? { seedRange(of: "RAFT_MUTANTS") }

/// The planted faults to survey: all, or those of `RAFT_FAULTS=name,name`.
func chosenFaults() -> [PlantedFault] {
    guard let text = ProcessInfo.processInfo.environment["RAFT_FAULTS"] else { return PlantedFault.allCases }
    return text.split(separator: ",").compactMap { PlantedFault(rawValue: String($0)) }
}
