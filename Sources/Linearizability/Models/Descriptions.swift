// What inputs, answers and states are called in a witness.

private func told(_ parts: (String, UInt64?)...) -> String {
    let known = parts.compactMap { part in part.1.map { "\(part.0) \($0)" } }
    return known.isEmpty ? "" : " (\(known.joined(separator: ", ")))"
}

extension RegisterModel.Condition: CustomStringConvertible {
    package var description: String {
        switch self {
        case .value(let value): "value \(value)"
        case .version(let version): "version \(version)"
        }
    }
}

extension RegisterModel.Output: CustomStringConvertible {
    package var description: String {
        switch self {
        case .read(let value, let version): "\(value)\(told(("version", version)))"
        case .written(let version): "written\(told(("version", version)))"
        case .mismatch(let value, let version): "mismatch\(told(("value", value), ("version", version)))"
        }
    }
}

extension RegisterModel.State: CustomStringConvertible {
    package var description: String { "value \(value), version \(version)" }
}

extension NameModel.State: CustomStringConvertible {
    package var description: String {
        switch self {
        case .absent: "absent"
        case .live(let token): "live \(token)"
        case .deleted(let token): "deleted \(token)"
        }
    }
}

extension LabelModel.Label: CustomStringConvertible {
    package var description: String {
        switch self {
        case .current: "current"
        case .previous: "previous"
        case .pending: "pending"
        case .other(let number): "label \(number)"
        }
    }
}

extension LabelModel.Holder: CustomStringConvertible {
    package var description: String { "\(label) on \(version)" }
}
