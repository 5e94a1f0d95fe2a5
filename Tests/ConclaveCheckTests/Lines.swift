import Foundation

@testable import conclave_check

/// A history as it stands in a file, one operation after the other unless times are given.
struct Lines {
    private var text = ""
    private var now = 0

    /// Adds an operation; it is called after all others have returned.
    mutating func add(
        _ model: String, _ key: String, _ op: String, _ args: String = "{}", _ outcome: String = "ok", _ result: String = "{}"
    ) {
        add(model, key, op, args, outcome, result, call: now + 1, return: now + 2)
    }

    mutating func add(
        _ model: String, _ key: String, _ op: String, _ args: String, _ outcome: String, _ result: String, call: Int, return returned: Int
    ) {
        text += """
            {"client":1,"model":"\(model)","key":"\(key)","op":"\(op)","args":\(args),"outcome":"\(outcome)","result":\(result),\
            "call":\(call),"return":\(returned),"node":2}

            """
        now = max(now, returned)
    }

    func report(stepCountMax: Int = 100_000) throws -> CheckReport {
        try CheckReport(try HistoryFile.parse(Data(text.utf8), name: "history"), stepCountMax: stepCountMax)
    }

    func exitCode(stepCountMax: Int = 100_000) throws -> Int32 { try report(stepCountMax: stepCountMax).exitCode }
}
