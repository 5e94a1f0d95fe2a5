/// The numbers that tell the cases of a choice inside a body apart. Part of the protocol.
enum EntryTag {
    static let noop: UInt8 = 0
    static let command: UInt8 = 1
    static let membership: UInt8 = 2

    /// Bytes of the shortest entry, a noop: term, index, tag.
    static let entryBytesMin = 17
}

enum RefusalTag {
    static let notLeader: UInt8 = 1
    static let transferring: UInt8 = 2
    static let overloaded: UInt8 = 3
    static let tooLarge: UInt8 = 4
    static let diskStalled: UInt8 = 5
    static let featureLevel: UInt8 = 6
    static let wrongTerm: UInt8 = 7
    static let superseded: UInt8 = 8
}

enum AppendResultTag {
    static let matched: UInt8 = 1
    static let mismatch: UInt8 = 2
}

enum ForwardResultTag {
    static let appended: UInt8 = 1
    static let refused: UInt8 = 2
    static let unknown: UInt8 = 3

    /// Bytes of the shortest item: ticket and tag.
    static let itemBytesMin = 9
}

enum SnapshotFaultTag {
    static let damaged: UInt8 = 1
    static let noSpace: UInt8 = 2
    static let featureLevel: UInt8 = 3
    static let gone: UInt8 = 4
}

enum ProposalTag {
    /// Bytes of the shortest proposal: ticket, no condition, feature level, no payload.
    static let proposalBytesMin = 15
}
