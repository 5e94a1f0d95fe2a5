/// Staging labels: the state machine of the reference, section 2.7. A label is on at most one version.
extension SecretRecord {
    /// All labels of all versions.
    var labelCount: Int { versions.reduce(0) { $0 + $1.labels.count } }

    func index(of id: VersionID) -> Int? { versions.firstIndex { $0.id == id } }

    func holder(of label: StagingLabel) -> Int? { versions.firstIndex { $0.labels.contains(label) } }

    /// Takes a label off whichever version has it.
    mutating func detach(_ label: StagingLabel) {
        guard let holder = holder(of: label) else { return }
        versions[holder].labels.removeAll { $0 == label }
    }

    /// Puts a label on a version, off the one that had it.
    mutating func attach(_ label: StagingLabel, to index: Int) {
        detach(label)
        let place = versions[index].labels.firstIndex { label < $0 } ?? versions[index].labels.endIndex
        versions[index].labels.insert(label, at: place)
    }

    /// Moves AWSCURRENT to a version; the one that had it becomes AWSPREVIOUS. No other label moves (rules 7 and 9).
    mutating func makeCurrent(_ index: Int) {
        let former = holder(of: .current)
        guard former != index else { return }
        attach(.current, to: index)
        if let former { attach(.previous, to: former) }
    }

    /// Labels a version that was just written (rules 1 to 6 and 8).
    ///
    /// - Parameter requested: `VersionStages`; nil or empty stands for AWSCURRENT alone.
    mutating func label(newVersion index: Int, requested: [StagingLabel]?) {
        let requested = requested ?? []
        let becomesCurrent = requested.isEmpty || requested.contains(.current) || holder(of: .current) == nil
        // A new current value abandons a rotation that is under way (rule 8).
        if becomesCurrent { detach(.pending) }
        for label in requested where label != .current { attach(label, to: index) }
        // Last, so that the version that was current is AWSPREVIOUS whatever was requested.
        if becomesCurrent { makeCurrent(index) }
    }

    /// `UpdateSecretVersionStage`: rules 7 and 10, and the checks of the reference, section 3.9.
    ///
    /// - Returns: Whether anything changed.
    mutating func move(
        _ label: StagingLabel, to target: VersionID?, from source: VersionID?
    ) throws(StoreFailure) -> Bool {
        let holder = holder(of: label)
        guard let target else {
            guard let source else { throw .labelMoveWithoutVersion }
            guard label != .current else { throw .currentLabelNotRemovable }
            guard let holder, versions[holder].id == source else { throw .removeFromVersionMismatch(label) }
            detach(label)
            return true
        }
        guard let destination = index(of: target) else { throw .versionNotFound(target) }
        // Already there, perhaps by the first try of a repeated request.
        if holder == destination { return false }
        if let holder {
            guard let source else { throw .removeFromVersionRequired(label, holder: versions[holder].id) }
            guard versions[holder].id == source else { throw .removeFromVersionMismatch(label) }
        } else {
            guard source == nil else { throw .removeFromVersionMismatch(label) }
        }
        if label == .current { makeCurrent(destination) } else { attach(label, to: destination) }
        guard labelCount <= Limits.labelsPerSecretMax else { throw .tooManyLabels }
        return true
    }
}
