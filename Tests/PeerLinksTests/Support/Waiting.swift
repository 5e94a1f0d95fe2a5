import Testing

/// Waits until `condition` holds; records an issue when it does not within a time that no slow machine needs.
func eventually(
    _ what: Comment, isolation: isolated (any Actor)? = #isolation, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async -> Bool
) async {
    let deadline = ContinuousClock.now + .seconds(30)
    while await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(what, sourceLocation: sourceLocation)
            return
        }
        // Only the pace of looking: nothing is concluded from it.
        try? await Task.sleep(for: .milliseconds(2))
    }
}
