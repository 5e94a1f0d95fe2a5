package import Raft

/// A membership as bytes, for the state machine's row and for snapshots:
///
///     format (1) | generation (8) | feature level (2) | three times: number of nodes (2) | node (8) ...
///
/// in the order voters, outgoing, learners. Integers are big-endian.
extension Membership {
    private static let format: UInt8 = 1

    package var encoded: [UInt8] {
        var bytes = [Self.format]
        func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
        append(generation)
        append(featureLevel)
        for nodes in [voters, outgoing, learners] {
            append(UInt16(nodes.count))
            for node in nodes { append(node.raw) }
        }
        return bytes
    }

    /// - Returns: Nil for bytes that are no membership.
    package init?(encoded bytes: [UInt8]) {
        var rest = bytes[...]
        func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
            let size = MemoryLayout<Number>.size
            guard rest.count >= size else { return nil }
            defer { rest = rest.dropFirst(size) }
            return rest.prefix(size).reduce(0) { $0 << 8 | Number($1) }
        }
        func nodes() -> [NodeID]? {
            guard let count = number(UInt16.self), rest.count >= Int(count) * 8 else { return nil }
            return (0..<count).compactMap { _ in number(UInt64.self).map(NodeID.init) }
        }
        guard rest.popFirst() == Self.format, let generation = number(UInt64.self), let level = number(UInt16.self), let voters = nodes(),
            let outgoing = nodes(), let learners = nodes(), rest.isEmpty
        else { return nil }
        self.init(voters: voters, outgoing: outgoing, learners: learners, generation: generation, featureLevel: level)
        guard isWellFormed else { return nil }
    }
}
