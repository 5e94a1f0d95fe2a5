/// Which version a read asks for: by id, by label, by both, or the current one.
package struct VersionSelector: Hashable, Sendable {
    /// `VersionId`.
    package var id: VersionID?
    /// `VersionStage`.
    package var label: StagingLabel?

    /// Neither: AWSCURRENT.
    package init(id: VersionID? = nil, label: StagingLabel? = nil) {
        self.id = id
        self.label = label
    }
}

/// The head of a record and the one version that a read asks for, decoded without the description, the tags and the other versions.
struct VersionSelection {
    /// Without description, type, tags and versions.
    var head: SecretRecord
    /// The version by id, or by label if no id was asked for; nil if there is none.
    var version: SecretVersion?

    init(decoding bytes: RawSpan, _ selector: VersionSelector) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            var selection = VersionSelection(head: try reader.recordHead())
            try reader.skipDescriptionTypeAndTags()
            let count = try reader.count(max: Limits.versionsPerSecretMax)
            for _ in 0..<count {
                let length = try reader.count(max: SecretVersion.encodedBytesMax)
                // Copies of the reader look ahead; the reader itself goes on behind the version in any case.
                var probe = reader
                if selection.version == nil, try probe.isAtVersion(selector) {
                    probe = reader
                    selection.version = try probe.version()
                }
                try reader.skip(length)
            }
            return selection
        }
    }

    private init(head: SecretRecord) { self.head = head }
}

extension ByteReader {
    fileprivate mutating func skipDescriptionTypeAndTags() throws(DecodingFailure) {
        if try flag() { try skip(try count(max: Limits.descriptionBytesMax)) }
        if try flag() { try skip(try count(max: Limits.typeBytesMax)) }
        guard try flag() else { return }
        let count = try count(max: Limits.tagsPerSecretMax)
        for _ in 0..<count {
            try skip(try self.count(max: Limits.tagKeyBytesMax))
            try skip(try self.count(max: Limits.tagValueBytesMax))
        }
    }

    /// Whether the version that begins here is the one asked for.
    fileprivate mutating func isAtVersion(_ selector: VersionSelector) throws(DecodingFailure) -> Bool {
        if let id = selector.id { return try fieldEquals(id.rawValue, max: Limits.versionIDBytesMax) }
        try skip(try count(max: Limits.versionIDBytesMax))
        let label = (selector.label ?? .current).rawValue
        let count = try count(max: Limits.labelsPerSecretMax)
        for _ in 0..<count where try fieldEquals(label, max: Limits.labelBytesMax) { return true }
        return false
    }
}
