import Foundation
import Testing

@testable import conclave_check

@Suite("History files")
struct HistoryFileTests {
    private func problem(_ text: String) -> String? {
        do {
            _ = try CheckReport(try HistoryFile.parse(Data(text.utf8), name: "h"), stepCountMax: 10)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        "what cannot be read is named",
        arguments: [
            ("nonsense", "h:1: this is not a JSON object"),
            ("\n{\"client\":1}", "h:2: the member 'model' is missing"),
            (#"{"client":"x","model":"set"}"#, "h:1: 'client' has the wrong type"),
            (#"{"client":1,"model":"bag"}"#, "h:1: 'model' has a value that is not known"),
            (#"{"client":1,"model":"set","key":"k","op":"list","outcome":"ok","call":1}"#, "h:1: an answer has no time"),
            (#"{"client":1,"model":"set","key":"k","op":"list","outcome":"unknown","call":2,"return":1}"#, "h:1: it returns before its call"),
            (
                #"{"client":1,"model":"set","key":"k","op":"sum","args":{"element":"e"},"outcome":"fail","call":2}"#,
                "the model set knows no operation 'sum'"
            ),
            (#"{"client":1,"model":"register","key":"k","op":"put","outcome":"fail","call":2}"#, "the put of register k called at 2 lacks 'value'"),
            (
                #"{"client":1,"model":"register","key":"k","op":"get","outcome":"ok","call":2,"return":3}"#,
                "the get of register k called at 2 lacks its result"
            ),
        ])
    func unreadable(text: String, expected: String) { #expect(problem(text) == expected) }

    @Test("the report in words and as JSON")
    func report() throws {
        var lines = Lines()
        lines.add("set", "s", "add", #"{"element":"a"}"#)
        lines.add("register", "r", "put", #"{"value":5}"#)
        lines.add("register", "r", "get", "{}", "ok", #"{"value":6}"#)
        let report = try lines.report()
        #expect(report.text.hasPrefix("register: 2 operations; 0 keys linearizable, 1 violated, 0 undecided\nset: 1 operations; 1 keys linearizable"))
        #expect(report.text.contains("\nVIOLATION register r\n"))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any])
        #expect(json["exitCode"] as? Int == 1)
        #expect((json["findings"] as? [[String: Any]])?.first?["key"] as? String == "r")
    }

    @Test("an empty history is right")
    func empty() throws { #expect(try Lines().report().text == "an empty history") }
}
