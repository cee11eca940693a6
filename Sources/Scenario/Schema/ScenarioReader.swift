/// A place of a scenario's tree, read as typed values. What cannot be read adds a problem and yields nil, so that one
/// pass finds every problem; wrong shapes have been told by ``ShapeCheck`` and are passed over here.
struct ScenarioReader {
    let node: ScenarioNode?
    /// Of the node, or of what it is missing from.
    let place: ScenarioProblem.Place
    let path: String
    let context: DecodingContext

    var isPresent: Bool { node != nil }

    subscript(_ key: String) -> ScenarioReader {
        let child = node?[key]
        return ScenarioReader(node: child, place: child?.place ?? place, path: joined(path, key), context: context)
    }

    /// Whether a key is there.
    func has(_ key: String) -> Bool { node?[key] != nil }

    /// The elements of a list; nil when there is none.
    var elements: [ScenarioReader]? {
        guard case .list(let nodes) = node?.content else { return nil }
        return nodes.enumerated().map { index, node in
            ScenarioReader(node: node, place: node.place, path: joined(path, index), context: context)
        }
    }

    /// The entries of a map, by key; nil when there is none.
    var entries: [(key: String, value: ScenarioReader)]? {
        guard case .map(let entries) = node?.content else { return nil }
        return entries.map { entry in
            let path = joined(path, entry.key)
            return (entry.key, ScenarioReader(node: entry.node, place: entry.node.place, path: path, context: context))
        }
    }

    /// The text of a scalar that is there.
    var text: String? {
        guard let node, !node.isNull else { return nil }
        return node.text
    }

    // MARK: - Problems

    func report(_ statement: String, expected: String? = nil, hint: String? = nil) {
        context.failures += 1
        context.problems.add(
            ScenarioProblem(place, path: path, value: node?.text, statement, expected: expected, hint: hint))
    }

    func reportInvalid(expected: String?, hint: String? = nil) {
        let statement = node.map { "'\(shortened($0.text ?? ""))' is not valid" }
        report(
            statement ?? "it is missing, and what holds without it is not valid here", expected: expected, hint: hint)
    }

    /// A key that has no default.
    func report(_ missing: Missing) { report(missing.statement, expected: missing.expected, hint: missing.hint) }

    /// Nothing, after a problem that has been told with the shape.
    func failing<Value>() -> Value? {
        context.failures += 1
        return nil
    }

    /// Nothing, after a problem.
    func failing<Value>(expected: String, hint: String? = nil) -> Value? {
        reportInvalid(expected: expected, hint: hint)
        return nil
    }

    // MARK: - Scalars

    /// What `parse` makes of the scalar; nil when there is none, or none that can be read.
    func scalar<Value>(_ parse: (String) throws(QuantityProblem) -> Value) -> Value? {
        guard let text else { return failing() }
        do {
            return try parse(text)
        } catch {
            return failing(expected: error.expected, hint: error.hint)
        }
    }

    /// A file's name as an absolute path: relative to the scenario's folder, or to the working directory where it
    /// was given on the command line.
    func file() -> String? {
        guard let text, !text.isEmpty else {
            if isPresent { reportInvalid(expected: "a file's name") }
            return nil
        }
        var isOption = false
        if case .option = place { isOption = true }
        let path = context.absolutePath(text, fromCommandLine: isOption)
        if context.checksFiles, let problem = unreadable(path) {
            report(
                "'\(shortened(path, to: 300))' \(problem)", hint: "names are relative to \(context.origin(isOption))")
        }
        return path
    }
}

/// What to say of a key that has no default and is not there.
struct Missing: Sendable {
    var statement = "it is missing"
    var expected: String?
    var hint: String?
}

func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}
