import Raft

/// The words of one command, taken from left to right.
struct Words {
    private var rest: ArraySlice<Substring>
    let text: String

    init(_ text: String) {
        self.text = text
        rest = text.split(separator: " ")[...]
    }

    var isEmpty: Bool { rest.isEmpty }
    var peek: String? { rest.first.map(String.init) }

    mutating func next(_ what: String) throws -> String {
        guard let word = rest.popFirst() else { throw ClusterFailure("'\(text)' lacks \(what)") }
        return String(word)
    }

    /// Takes the next word if it is this one.
    mutating func take(_ word: String) -> Bool {
        guard peek == word else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ what: String = "a number") throws -> UInt64 {
        let word = try next(what)
        guard let number = UInt64(word) else { throw ClusterFailure("'\(word)' is not \(what)") }
        return number
    }

    /// Takes the next word if it is a number.
    mutating func numberIfAny() -> UInt64? {
        guard let word = peek, let number = UInt64(word) else { return nil }
        rest.removeFirst()
        return number
    }

    mutating func node() throws -> NodeID { NodeID(try number("a node")) }

    /// Every node up to the next word that is none: `1 2 3`, `1...5`, `1 3...5`.
    mutating func nodes() -> [NodeID] {
        var nodes: [NodeID] = []
        while let word = peek {
            let ends = word.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
            guard word.allSatisfy({ $0.isNumber || $0 == "." }), let first = ends.first, let last = ends.last, first <= last else { break }
            nodes += (first...last).map { NodeID($0) }
            rest.removeFirst()
        }
        return nodes
    }

    /// `1->3`; `*` is every node.
    mutating func link() throws -> LinkPattern {
        let word = try next("a link such as 1->3")
        guard let link = LinkPattern(word) else { throw ClusterFailure("'\(word)' is not a link such as 1->3") }
        return link
    }

    /// `2/5`.
    mutating func entry() throws -> EntryID {
        let word = try next("an entry such as 2/5")
        let parts = word.split(separator: "/").compactMap { UInt64($0) }
        guard parts.count == 2 else { throw ClusterFailure("'\(word)' is not an entry such as 2/5") }
        return EntryID(term: Term(parts[0]), index: LogIndex(parts[1]))
    }

    mutating func rest(_ what: String) throws -> String {
        guard !isEmpty else { throw ClusterFailure("'\(text)' lacks \(what)") }
        defer { rest = [] }
        return rest.joined(separator: " ")
    }

    func end() throws {
        if let word = rest.first { throw ClusterFailure("'\(text)': '\(word)' is one word too many") }
    }
}

/// One direction between two nodes, or between many.
struct LinkPattern: Hashable {
    let from: NodeID?
    let to: NodeID?

    init(from: NodeID?, to: NodeID?) {
        self.from = from
        self.to = to
    }

    init?(_ text: String) {
        let ends = text.replacing("→", with: "->").split(separator: "->", omittingEmptySubsequences: false)
        guard text.contains("->") || text.contains("→"), ends.count == 2 else { return nil }
        for end in ends where end != "*" && UInt64(end) == nil { return nil }
        from = UInt64(ends[0]).map { NodeID($0) }
        to = UInt64(ends[1]).map { NodeID($0) }
    }

    func covers(from sender: NodeID, to receiver: NodeID) -> Bool {
        (from == nil || from == sender) && (to == nil || to == receiver)
    }
}
