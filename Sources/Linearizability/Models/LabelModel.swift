/// The labels of one secret's versions: each is on one version at most, and moves by compare-and-set.
///
/// Where the current label goes, the previous label follows to the version that it leaves.
package struct LabelModel: Model {
    package enum Label: Hashable, Comparable, Sendable {
        case current
        case previous
        case pending
        case other(UInt64)
    }

    /// A label and the version that it is on.
    package struct Holder: Hashable, Sendable {
        package let label: Label
        package let version: UInt64

        package init(_ label: Label, on version: UInt64) {
            self.label = label
            self.version = version
        }
    }

    package enum Input: Hashable, Sendable {
        /// Takes the label off `from`, or off nothing, and puts it on `to`, or on nothing.
        case move(Label, from: UInt64?, to: UInt64?)
        case read
    }

    package enum Output: Hashable, Sendable {
        /// Also for a label that is there already.
        case moved
        /// The label is not on `from`, or would leave the secret without a current version.
        case refused
        /// Ascending by label.
        case holders([Holder])
    }

    /// Ascending by label.
    package let initial: [Holder]

    /// - Parameter initial: In any order, each label once.
    package init(initial: [Holder]) { self.initial = initial.sorted { $0.label < $1.label } }

    package func step(_ state: [Holder], _ input: Input, _ output: Output?) -> [Holder]? {
        switch input {
        case .read: return output == nil || output == .holders(state) ? state : nil
        case .move(let label, let from, let to):
            let next = move(label, from, to, state)
            return output == nil || output == (next == nil ? .refused : .moved) ? next ?? state : nil
        }
    }

    /// - Returns: Nil when it is refused.
    private func move(_ label: Label, _ from: UInt64?, _ to: UInt64?, _ state: [Holder]) -> [Holder]? {
        let holder = state.first { $0.label == label }?.version
        if let to, holder == to { return state }
        guard holder == from, from != nil || to != nil, label != .current || to != nil else { return nil }
        var next = state
        put(label, on: to, in: &next)
        if label == .current, let from { put(.previous, on: from, in: &next) }
        return next
    }

    private func put(_ label: Label, on version: UInt64?, in state: inout [Holder]) {
        state.removeAll { $0.label == label }
        guard let version else { return }
        state.insert(Holder(label, on: version), at: state.firstIndex { $0.label > label } ?? state.endIndex)
    }

    package func isRead(_ input: Input) -> Bool { input == .read }

    // Labels come back to versions where they were, so nothing tells one move from another.
    package func trace(of input: Input) -> UInt64? { nil }
    package func trace(in output: Output) -> UInt64? { nil }
}
