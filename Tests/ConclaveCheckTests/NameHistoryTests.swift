import Testing

@testable import conclave_check

@Suite("Histories of names")
struct NameHistoryTests {
    private var lines = Lines()

    private mutating func create(_ token: Int, done: Bool = true) {
        lines.add("names", "n", "create", #"{"token":\#(token)}"#, "ok", #"{"done":\#(done)}"#)
    }
    private mutating func act(_ op: String, done: Bool = true) { lines.add("names", "n", op, "{}", "ok", #"{"done":\#(done)}"#) }
    private mutating func look(_ state: String, _ token: Int? = nil) {
        let more = token.map { #","token":\#($0)"# } ?? ""
        lines.add("names", "n", "look", "{}", "ok", #"{"state":"\#(state)"\#(more)}"#)
    }

    @Test("a life: created, deleted, restored, purged, created anew")
    mutating func right() throws {
        look("absent")
        create(1)
        create(2, done: false)
        act("delete")
        act("delete", done: false)
        look("deleted", 1)
        create(3, done: false)
        act("restore")
        look("live", 1)
        act("purge")
        act("restore", done: false)
        create(4)
        look("live", 4)
        #expect(try lines.exitCode() == 0)
    }

    @Test("a deletion that was acknowledged and forgotten")
    mutating func forgottenDeletion() throws {
        create(1)
        act("delete")
        look("live", 1)
        #expect(try lines.exitCode() == 1)
    }

    @Test("two creations of one name")
    mutating func twice() throws {
        create(1)
        create(2)
        #expect(try lines.exitCode() == 1)
    }

    @Test("a purged secret comes back")
    mutating func resurrection() throws {
        create(1)
        act("purge")
        look("live", 1)
        #expect(try lines.exitCode() == 1)
    }
}
