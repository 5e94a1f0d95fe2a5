internal import SecretStore

/// ARN and Name, which is all that many operations answer.
struct SecretOutput: OutputStructure {
    let arn: String
    let name: String

    init(_ arn: SecretARN) {
        self.arn = arn.description
        name = arn.name.rawValue
    }

    func write(to json: inout JSONWriter) {
        json.member("ARN", arn)
        json.member("Name", name)
    }
}

extension JSONWriter {
    /// An array of texts.
    mutating func member(_ name: StaticString, texts: some Collection<some ByteExactText>) {
        self.name(name)
        beginArray()
        for text in texts { string(text.rawValue) }
        endArray()
    }

    /// A point in time, in seconds.
    mutating func member(_ name: StaticString, _ time: Timestamp) {
        member(name, millisecondsSince1970: time.millisecondsSince1970)
    }

    /// A UTC day: its first moment (behaviour 1.2).
    mutating func member(_ name: StaticString, _ day: UTCDay) { member(name, day.start) }

    /// The tags of a secret, in their order.
    mutating func member(_ name: StaticString, _ tags: [Tag]) {
        self.name(name)
        beginArray()
        for tag in tags {
            beginObject()
            member("Key", tag.key.rawValue)
            member("Value", tag.value)
            endObject()
        }
        endArray()
    }
}
