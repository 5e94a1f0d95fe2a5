#if CONCLAVE_MUTANTS
package import Raft
package import WriteAheadLog

/// One small mistake, in the core, the log or the driver. The simulator must notice every one.
package enum Mutant: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case raft(PlantedFault)
    case log(PlantedLogFault)
    case driver(PlantedDriverFault)

    package static var allCases: [Mutant] {
        PlantedFault.allCases.map(Mutant.raft) + PlantedLogFault.allCases.map(Mutant.log) + PlantedDriverFault.allCases.map(Mutant.driver)
    }

    package var description: String {
        switch self {
        case .raft(let fault): "raft.\(fault.rawValue)"
        case .log(let fault): "log.\(fault.rawValue)"
        case .driver(let fault): "driver.\(fault.rawValue)"
        }
    }

    /// - Parameter name: As ``description``, or the part after the point.
    package init?(named name: String) {
        guard let mutant = Self.allCases.first(where: { $0.description == name || $0.description.hasSuffix("." + name) }) else { return nil }
        self = mutant
    }
}
#endif
