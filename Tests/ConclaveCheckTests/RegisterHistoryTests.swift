import Testing

@testable import conclave_check

@Suite("Histories of a register")
struct RegisterHistoryTests {
    private var lines = Lines()

    private mutating func put(_ value: Int, _ outcome: String = "ok") { lines.add("register", "r", "put", #"{"value":\#(value)}"#, outcome) }
    private mutating func get(_ value: Int) { lines.add("register", "r", "get", "{}", "ok", #"{"value":\#(value)}"#) }
    private mutating func cas(_ expected: Int, _ value: Int, done: Bool) {
        lines.add("register", "r", "cas", #"{"expected":\#(expected),"value":\#(value)}"#, "ok", #"{"done":\#(done)}"#)
    }
    private mutating func settle(present: String, absent: String) {
        lines.add("register", "r", "settle", "{}", "ok", #"{"present":[\#(present)],"absent":[\#(absent)]}"#)
    }

    @Test("put, get and compare-and-set, one after the other")
    mutating func right() throws {
        get(0)
        put(5)
        get(5)
        cas(5, 6, done: true)
        cas(5, 7, done: false)
        get(6)
        #expect(try lines.exitCode() == 0)
    }

    @Test("a stale read")
    mutating func staleRead() throws {
        put(5)
        put(6)
        get(5)
        let report = try lines.report()
        #expect(report.exitCode == 1)
        #expect(report.verdicts.first?.details.contains("get -> 5") == true)
    }

    @Test("a lost update: a compare-and-set that two clients won")
    mutating func lostUpdate() throws {
        put(5)
        cas(5, 6, done: true)
        cas(5, 7, done: true)
        #expect(try lines.exitCode() == 1)
    }

    @Test("a read that overlaps a write may see either")
    mutating func overlap() throws {
        for value in [0, 5] {
            var lines = Lines()
            lines.add("register", "r", "put", #"{"value":5}"#, "ok", "{}", call: 1, return: 9)
            lines.add("register", "r", "get", "{}", "ok", #"{"value":\#(value)}"#, call: 2, return: 3)
            #expect(try lines.exitCode() == 0)
        }
    }

    @Test("a write of unknown outcome may be seen late, and then stays")
    mutating func unknownWrite() throws {
        put(5)
        put(6, "unknown")
        get(5)
        get(6)
        #expect(try lines.exitCode() == 0)
        get(5)
        #expect(try lines.exitCode() == 1)
    }

    @Test("a write that failed and is seen")
    mutating func failedWrite() throws {
        put(5, "fail")
        get(0)
        #expect(try lines.exitCode() == 0)
        get(5)
        let report = try lines.report()
        #expect(report.exitCode == 1)
        #expect(report.verdicts.first?.details.hasPrefix("said to be not executed, and it was") == true)
    }

    @Test("the end shows an acknowledged write, or it is lost")
    mutating func settled() throws {
        put(5)
        put(6, "unknown")
        var lost = self
        settle(present: "5", absent: "6")
        #expect(try lines.exitCode() == 0)
        lost.settle(present: "6", absent: "5")
        #expect(try lost.lines.report().verdicts.first?.details.hasPrefix("acknowledged, and lost") == true)
    }

    @Test("a search that is given up says so, and a violation elsewhere counts more")
    mutating func undecided() throws {
        for value in 1...20 { put(value, "unknown") }
        cas(98, 99, done: true)
        #expect(try lines.exitCode(stepCountMax: 1_000) == 3)
        lines.add("register", "other", "get", "{}", "ok", #"{"value":3}"#)
        let report = try lines.report(stepCountMax: 1_000)
        #expect(report.exitCode == 1)
        #expect(report.verdicts.map(\.kind) == [.violation, .undecided])
    }
}
