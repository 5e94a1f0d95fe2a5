/// Why a node does not start, in one sentence that says what to do.
package struct NodeProblem: Error, Equatable, CustomStringConvertible {
    package let description: String
}
