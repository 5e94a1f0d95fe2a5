import Testing

@testable import conclave_check

@Suite("Histories of staging labels")
struct LabelHistoryTests {
    private var lines: Lines

    init() {
        lines = Lines()
        lines.add("labels", "l", "initial", "{}", "ok", #"{"holders":{"AWSCURRENT":1,"mine":2}}"#)
    }

    private mutating func move(_ label: String, _ from: String, _ to: String, done: Bool) {
        lines.add("labels", "l", "move", #"{"label":"\#(label)","from":\#(from),"to":\#(to)}"#, "ok", #"{"done":\#(done)}"#)
    }
    private mutating func read(_ holders: String) { lines.add("labels", "l", "read", "{}", "ok", #"{"holders":{\#(holders)}}"#) }

    @Test("the previous label follows the current one")
    mutating func right() throws {
        read(#""AWSCURRENT":1,"mine":2"#)
        move("AWSCURRENT", "1", "2", done: true)
        read(#""AWSCURRENT":2,"AWSPREVIOUS":1,"mine":2"#)
        move("mine", "2", "null", done: true)
        move("mine", "2", "3", done: false)
        move("mine", "null", "3", done: true)
        read(#""mine":3,"AWSPREVIOUS":1,"AWSCURRENT":2"#)
        #expect(try lines.exitCode() == 0)
    }

    @Test("two clients both take a label off one version")
    mutating func doubleMove() throws {
        move("AWSCURRENT", "1", "2", done: true)
        move("AWSCURRENT", "1", "3", done: true)
        #expect(try lines.exitCode() == 1)
    }

    @Test("a read that shows a label where it was before")
    mutating func staleRead() throws {
        move("AWSCURRENT", "1", "2", done: true)
        read(#""AWSCURRENT":1,"mine":2"#)
        #expect(try lines.exitCode() == 1)
    }

    @Test("a refusal that the state does not explain")
    mutating func wrongRefusal() throws {
        move("mine", "2", "3", done: false)
        #expect(try lines.exitCode() == 1)
    }
}
