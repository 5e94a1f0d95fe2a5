#if CONCLAVE_MUTANTS
package import Raft
package import Sessions
package import WriteAheadLog

/// One small mistake, in the core, the log, the session table or the driver. The simulator must notice every one.
package enum Mutant: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case raft(PlantedFault)
    case log(PlantedLogFault)
    case sessions(PlantedSessionFault)
    case driver(PlantedDriverFault)

    package static var allCases: [Mutant] {
        PlantedFault.allCases.map(Mutant.raft) + PlantedLogFault.allCases.map(Mutant.log) + PlantedSessionFault.allCases.map(Mutant.sessions)
            + PlantedDriverFault.allCases.map(Mutant.driver)
    }

    package var description: String {
        switch self {
        case .raft(let fault): "raft.\(fault.rawValue)"
        case .log(let fault): "log.\(fault.rawValue)"
        case .sessions(let fault): "sessions.\(fault.rawValue)"
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
