/// A list of texts.
struct StringListShape<Element: ScalarShape>: Shape {
    var count: ClosedRange<Int>?
    let element: Element

    var placeholder: [String] { [] }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> [String]? {
        guard case .array(let values) = value else {
            problems.wrongType(TypeMismatch.list(value))
            return nil
        }
        var texts: [String] = []
        texts.reserveCapacity(values.count)
        for value in values {
            guard case .string(let text) = value else {
                // A null inside a list has no meaning; AWS's answer to it is not known.
                problems.wrongType(TypeMismatch.scalar(value, as: "a String"))
                return nil
            }
            texts.append(text)
        }
        check(texts, at: path, &problems)
        return texts
    }

    private func check(_ texts: [String], at path: MemberPath, _ problems: inout Problems) {
        var shown: Problems.Shown { element.isSensitive ? .hidden : .text("[\(texts.joined(separator: ", "))]") }
        let constraints = texts.map { element.constraints(on: $0) }
        if constraints.contains(where: { $0.contains { !$0.holds } }), let first = constraints.first {
            let all = first.map(\.text).joined(separator: ", ")
            problems.violation("Member must satisfy constraint: [\(all)]", value: shown, at: path)
        }
        problems.checkCount(texts.count, count, shown: shown, at: path)
    }
}

/// A list of structures. Faults of their members carry the whole path: `tags.2.member.key`.
struct StructureListShape<Element: InputStructure>: Shape {
    var count: ClosedRange<Int>?
    let element: Element.Type

    init(_ element: Element.Type, count: ClosedRange<Int>? = nil) {
        self.element = element
        self.count = count
    }

    var placeholder: [Element] { [] }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> [Element]? {
        guard case .array(let values) = value else {
            problems.wrongType(TypeMismatch.list(value))
            return nil
        }
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            let shape = StructureShape(element)
            elements.append(shape.read(value, prefix: path.element(index), &problems) ?? shape.placeholder)
        }
        // Java prints such a list as objects, which nobody can use: the value stays out.
        problems.checkCount(elements.count, count, shown: .hidden, at: path)
        return elements
    }
}

/// A structure.
struct StructureShape<Content: InputStructure>: Shape {
    let content: Content.Type

    init(_ content: Content.Type) { self.content = content }

    var placeholder: Content { .placeholder }

    func read(_ value: JSONValue, at path: MemberPath, _ problems: inout Problems) -> Content? {
        read(value, prefix: path.inside, &problems)
    }

    fileprivate func read(_ value: JSONValue, prefix: String, _ problems: inout Problems) -> Content? {
        guard case .object = value else {
            problems.wrongType(TypeMismatch.structure(value))
            return nil
        }
        var members = Members(value, prefix: prefix)
        members.adopt(problems)
        defer { problems = members.problems }
        return Content(reading: &members)
    }
}

extension Problems {
    fileprivate mutating func checkCount(_ actual: Int, _ count: ClosedRange<Int>?, shown: @autoclosure () -> Shown, at path: MemberPath) {
        guard let count else { return }
        for constraint in [Constraint.length(atMost: count.upperBound, actual), .length(atLeast: count.lowerBound, actual)] where !constraint.holds {
            violation(constraint.text, value: shown(), at: path)
        }
    }
}
