import Testing

/// Named situations from other implementations' tests and from production, played on our core (`reference/raft.md` §5).
@Suite("scenarios")
struct ScenarioTests {
    @Test("leaves the trace that its file says", arguments: Transcript.all)
    func transcript(_ transcript: Transcript) throws {
        try transcript.run()
    }

    @Test("transcripts are found")
    func transcriptsAreFound() { #expect(!Transcript.all.isEmpty) }

    @Test("a broken promise in a script fails it", arguments: ["expect 1 leader", "expect committed 1", "deliver 1->2", "nonsense 1", "propose 9 x"])
    func wrongExpectation(command: String) throws {
        let scenario = Scenario()
        _ = try scenario.run("cluster 1 2 3")
        #expect(throws: ClusterFailure.self) { try scenario.run(command) }
    }

    @Test("a script is taken apart into prose, commands and traces")
    func script() {
        let script = Script("# a\n\none 1\n    x\n        y\ntwo\n")
        let described = script.parts.map { "\($0)" }
        #expect(described == [
            "prose(\"# a\")", "prose(\"\")", "command(\"one 1\", line: 3, trace: [\"    x\", \"        y\"])", "command(\"two\", line: 6, trace: [])",
        ])
    }

    @Test("a difference shows both sides")
    func differences() {
        #expect(difference(["a", "b", "c"], ["a", "x", "c"]) == "  a\n- b\n+ x\n  c")
        #expect(difference([], ["a"]) == "+ a")
    }
}
