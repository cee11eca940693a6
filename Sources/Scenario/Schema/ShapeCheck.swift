import Timebase

/// Compares a scenario's tree with the shape that it should have, and says where it departs.
struct ShapeCheck {
    let problems: ProblemList

    func check(_ node: ScenarioNode, _ shape: Shape, path: String, outer: Shape? = nil) {
        if shape.isOff {
            guard !isSwitchedOff(node) else { return }
            let name = path.split(separator: ".").last.map(String.init) ?? path
            problems.add(Self.unsupported(Shape.Field(name: name, shape: .off), in: shape, node.place, path: path))
            return
        }
        guard !node.isNull else {
            problems.add(
                ScenarioProblem(
                    node.place, path: path, "there is no value", expected: expectation(shape),
                    hint: "leave the key out for its default"))
            return
        }
        switch node.content {
        case .scalar(let text, _): check(text, node, shape, path)
        case .list(let elements):
            guard let element = shape.element.first else { return reportKind(node, shape, path) }
            for (index, node) in elements.enumerated() { check(node, element, path: joined(path, index)) }
        case .map(let entries):
            if let value = shape.anyValue.first {
                for entry in entries { check(entry.node, value, path: joined(path, entry.key)) }
                return
            }
            guard let keys = shape.fields else { return reportKind(node, shape, path) }
            let fields = keys.map { $0.variant(in: entries) }
            for entry in entries { check(entry, fields, shape, path, outer) }
            checkGroups(node, entries, fields, shape, path)
        }
    }

    private func check(_ text: String, _ node: ScenarioNode, _ shape: Shape, _ path: String) {
        if let word = shape.words.first(where: { $0.text == text }) {
            if !word.isSupported { reportUnsupported(text, node, shape, path) }
        } else if shape.fields?.contains(where: { $0.name == text && !$0.isSupported }) == true {
            reportUnsupported(text, node, shape, path)
        } else if shape.scalar == nil {
            guard !shape.words.isEmpty || shape.isChoice else { return reportKind(node, shape, path) }
            let usable = shape.words.filter(\.isSupported).map(\.text) + Self.usable(shape.fields ?? [])
            report(
                node, path, "'\(shortened(text))' is not known here", expected: expectation(shape),
                hint: Suggestions.question(Suggestions.nearest(to: text, among: usable, limit: 1)))
        }
    }

    private func check(
        _ entry: ScenarioNode.Entry, _ fields: [Shape.Field], _ shape: Shape, _ path: String, _ outer: Shape?
    ) {
        let path = joined(path, entry.key)
        guard let field = fields.first(where: { $0.name == entry.key }) else {
            problems.add(Self.unknown(entry.key, in: fields, outer: outer, entry.place, path: path))
            return
        }
        guard field.isSupported else {
            problems.add(Self.unsupported(field, in: shape, entry.place, path: path))
            return
        }
        check(entry.node, field.shape, path: path, outer: shape)
    }

    /// Alternatives exclude each other, and a choice needs one.
    private func checkGroups(
        _ node: ScenarioNode, _ entries: [ScenarioNode.Entry], _ fields: [Shape.Field], _ shape: Shape, _ path: String
    ) {
        var chosen: [String: String] = [:]
        for entry in entries {
            guard let group = fields.first(where: { $0.name == entry.key })?.group else { continue }
            if let other = chosen[group] {
                problems.add(
                    ScenarioProblem(
                        entry.place, path: joined(path, entry.key),
                        "'\(other)' and '\(entry.key)' exclude each other", hint: "keep one of them"))
            }
            chosen[group] = entry.key
        }
        if shape.isChoice, entries.isEmpty {
            report(node, path, "there is nothing chosen", expected: expectation(shape))
        }
    }

    // MARK: - Words

    /// A key that nobody knows.
    static func unknown(
        _ key: String, in fields: [Shape.Field], outer: Shape? = nil, _ place: ScenarioProblem.Place, path: String
    ) -> ScenarioProblem {
        let usable = usable(fields)
        var hint = Suggestions.question(Suggestions.nearest(to: key, among: usable, limit: 1))
        if hint == nil, outer?.fields?.contains(where: { $0.name == key && $0.isUsable }) == true {
            hint = "'\(key)' is a key one level further out"
        }
        return ScenarioProblem(
            place, path: path, value: key, "unknown key '\(shortened(key))'",
            expected: "one of " + usable.joined(separator: ", "), hint: hint)
    }

    /// Only what is of use is ever suggested.
    private static func usable(_ fields: [Shape.Field]) -> [String] { fields.filter(\.isUsable).map(\.name) }

    /// A key of the contract that this version does not read.
    static func unsupported(
        _ field: Shape.Field, in shape: Shape, _ place: ScenarioProblem.Place, path: String
    ) -> ScenarioProblem {
        let others = (shape.fields ?? []).filter { $0.isSupported && field.group != nil && $0.group == field.group }
        let supported = others.map(\.name) + shape.words.filter(\.isSupported).map(\.text)
        return ScenarioProblem(
            place, path: path, value: field.name,
            "'\(field.name)' is not supported by this version; "
                + (supported.isEmpty ? "leave it out" : "supported: " + supported.joined(separator: ", ")))
    }

    /// Whether this says "not this": zero of any unit, false, none, or empty.
    private func isSwitchedOff(_ node: ScenarioNode) -> Bool {
        switch node.content {
        case .scalar(let text, _):
            text == "none" || text == "false" || ExactDecimal.prefix(of: text)?.number.mantissa == 0
        case .list(let elements): elements.isEmpty
        case .map(let entries): entries.isEmpty
        }
    }

    private func expectation(_ shape: Shape) -> String? {
        if let fields = shape.fields, !shape.isChoice {
            return "keys: " + Self.usable(fields).joined(separator: ", ")
        }
        var choices: [String] = shape.supportedInWords.isEmpty ? [] : [shape.supportedInWords]
        if shape.scalar != nil { choices.append("a value") }
        if !shape.anyValue.isEmpty { choices.append("keys with a value each") }
        if let element = shape.element.first {
            let words = element.supportedInWords
            choices.append("a list" + (words.isEmpty ? "" : " of \(words)"))
        }
        return choices.isEmpty ? nil : choices.joined(separator: ", or ")
    }

    private func reportKind(_ node: ScenarioNode, _ shape: Shape, _ path: String) {
        var hint: String?
        if case .map = node.content, !shape.element.isEmpty { hint = "begin each element with '- '" }
        report(node, path, "\(node.kindInWords) cannot stand here", expected: expectation(shape), hint: hint)
    }

    private func reportUnsupported(_ text: String, _ node: ScenarioNode, _ shape: Shape, _ path: String) {
        report(node, path, "'\(text)' is not supported by this version; supported: " + shape.supportedInWords)
    }

    private func report(
        _ node: ScenarioNode, _ path: String, _ statement: String, expected: String? = nil, hint: String? = nil
    ) {
        problems.add(
            ScenarioProblem(node.place, path: path, value: node.text, statement, expected: expected, hint: hint))
    }
}
