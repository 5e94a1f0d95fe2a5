import Testing

@testable import conclave_check

@Suite("Histories of a set")
struct SetHistoryTests {
    private var lines = Lines()

    private mutating func add(_ element: String, _ outcome: String = "ok") { lines.add("set", "s", "add", #"{"element":"\#(element)"}"#, outcome) }
    private mutating func list(_ elements: String...) {
        let quoted = elements.map { "\"\($0)\"" }.joined(separator: ",")
        lines.add("set", "s", "list", "{}", "ok", #"{"elements":[\#(quoted)]}"#)
    }
    private mutating func look(_ element: String, found: Bool) {
        lines.add("set", "s", "look", #"{"element":"\#(element)"}"#, "ok", #"{"found":\#(found)}"#)
    }

    @Test("everything acknowledged is listed, and what is unknown may be")
    mutating func right() throws {
        list()
        add("a")
        add("b", "unknown")
        add("c", "fail")
        var without = self
        list("a", "b")
        look("b", found: true)
        #expect(try lines.exitCode() == 0)
        without.list("a")
        without.look("c", found: false)
        #expect(try without.lines.exitCode() == 0)
    }

    @Test("an acknowledged element is missing from a list")
    mutating func missing() throws {
        add("a")
        add("b")
        list("b")
        let report = try lines.report()
        #expect(report.exitCode == 1)
        #expect(report.verdicts.first?.details.hasPrefix("element a:") == true)
    }

    @Test("an acknowledged element cannot be read")
    mutating func unreadable() throws {
        add("a")
        look("a", found: false)
        #expect(try lines.exitCode() == 1)
    }

    @Test("an element that failed appears")
    mutating func failedAppears() throws {
        add("a", "fail")
        list("a")
        #expect(try lines.exitCode() == 1)
    }

    @Test("an element that nobody added appears")
    mutating func fromNowhere() throws {
        list("x")
        #expect(try lines.exitCode() == 1)
    }

    @Test("an element of unknown outcome that was seen does not go away")
    mutating func seenAndGone() throws {
        add("a", "unknown")
        list("a")
        #expect(try lines.exitCode() == 0)
        list()
        #expect(try lines.exitCode() == 1)
    }
}
