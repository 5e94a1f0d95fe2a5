/// One line of a history file: what a client asked of one object, and what it was told.
///
/// A history is a text file with one JSON object per line, in any order. Times are nanoseconds of one clock that all clients share.
///
///     {"client":3,"model":"register","key":"r/12","op":"put","args":{"value":7},"outcome":"ok","call":100,"return":180}
///     {"client":4,"model":"register","key":"r/12","op":"get","outcome":"ok","result":{"value":7},"call":200,"return":230}
///
/// | model | op, `args` | `result` of an answer |
/// | --- | --- | --- |
/// | register | put `value`; get; cas `expected`, `value` | get: `value` (0: never written); cas: `done` |
/// | set | add `element`; look `element`; list | look: `found`; list: `elements` |
/// | labels | move `label`, `from`, `to`; read; initial | move: `done`; read and initial: `holders`, label to version |
/// | names | create `token`; delete; restore; purge; look | look: `state` (absent, live, deleted), `token`; else: `done` |
///
/// A register also has `settle`: what the end of the run tells about its writes, as `present` and `absent` values.
/// Further members are for people and are not read.
struct HistoryLine: Decodable {
    enum Model: String, Decodable, CaseIterable {
        case register, set, labels, names
    }

    enum Outcome: String, Decodable {
        /// Answered by the object; a refusal that the object decided is an answer too (`done` is false).
        case ok
        /// Proven not to be executed.
        case fail
        /// Nobody knows.
        case unknown
    }

    struct Arguments: Decodable {
        var value: UInt64?
        var expected: UInt64?
        var element: String?
        var label: String?
        var from: UInt64?
        var to: UInt64?
        var token: UInt64?
    }

    struct Answer: Decodable {
        var value: UInt64?
        var done: Bool?
        var found: Bool?
        var elements: [String]?
        var holders: [String: UInt64]?
        var state: String?
        var token: UInt64?
        var present: [UInt64]?
        var absent: [UInt64]?
    }

    let client: Int
    let model: Model
    let key: String
    let op: String
    let args: Arguments?
    let outcome: Outcome
    let result: Answer?
    let call: UInt64
    let `return`: UInt64?
}

/// A history that cannot be checked, in one sentence.
struct HistoryProblem: Error, CustomStringConvertible {
    let description: String
}
