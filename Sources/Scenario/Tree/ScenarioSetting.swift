/// One change to a scenario from the command line: `network.forward.0.loss.bernoulli=2%`.
public struct ScenarioSetting: Equatable, Sendable {
    /// Keys and list indexes, separated by points.
    public var path: String
    /// A scalar as it stands, or YAML where it begins with `{`, `[` or a quote.
    public var value: String
    /// How the user gave it, for messages: `--set network.forward.0.delay=20`.
    public var option: String
    /// False for an argument without `=`.
    var isComplete = true

    /// A setting by any option, such as `--seed 7`.
    public init(path: String, value: String, option: String) {
        self.path = path
        self.value = value
        self.option = option
    }

    /// What follows `--set`: everything before the first `=` is the path.
    public init(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        path = parts[0]
        value = parts.count > 1 ? parts[1] : ""
        isComplete = parts.count > 1 && !path.isEmpty
        option = "--set \(shortened(argument, to: 120))"
    }

    /// Changes the tree, or adds the reason why not.
    ///
    /// Missing maps and lists are made; an index equal to a list's length appends; setting one alternative of a
    /// choice removes the others.
    func apply(to root: inout ScenarioNode, problems: ProblemList) {
        let place = ScenarioProblem.Place.option(option)
        guard isComplete else {
            let example = "--set network.forward.0.delay=20ms"
            problems.add(
                ScenarioProblem(place, path: "", "path or value is missing", expected: "PATH=VALUE, such as \(example)")
            )
            return
        }
        let components = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let value = parsedValue(place, problems) else { return }
        let assignment = Assignment(value: value, place: place)
        let problem = assignment.set(components[...], in: &root, ExperimentScenario.record.shape, path: "")
        if let problem { problems.add(problem) }
    }

    private func parsedValue(_ place: ScenarioProblem.Place, _ problems: ProblemList) -> ScenarioNode? {
        let trimmed = String(value.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        if let first = trimmed.first, "{['\"".contains(first) {
            return ScenarioNode.parse(yaml: trimmed, problems: problems) { _ in place }
        }
        return ScenarioNode(content: .scalar(trimmed, isPlain: true), place: place)
    }
}

/// A value on its way down the tree to the place that it is for.
private struct Assignment {
    let value: ScenarioNode
    let place: ScenarioProblem.Place

    /// - Returns: why it cannot be set.
    func set(
        _ components: ArraySlice<String>, in node: inout ScenarioNode, _ shape: Shape, path: String
    ) -> ScenarioProblem? {
        guard let component = components.first else {
            node = value
            return nil
        }
        if let inner = shape.anyValue.first {
            return setFree(components, in: &node, inner, path: path)
        }
        if let fields = shape.fields, Int(component) == nil || shape.element.isEmpty {
            return set(components, in: &node, fields, of: shape, path: path)
        }
        if let element = shape.element.first {
            return setElement(components, in: &node, element, path: path)
        }
        return ScenarioProblem(
            place, path: joined(path, component), "'\(path)' is a value and has nothing below it")
    }

    /// Into a map.
    private func set(
        _ components: ArraySlice<String>, in node: inout ScenarioNode, _ fields: [Shape.Field], of shape: Shape,
        path: String
    ) -> ScenarioProblem? {
        let (key, rest) = (components[components.startIndex], components.dropFirst())
        guard let field = fields.first(where: { $0.name == key }) else {
            return ShapeCheck.unknown(key, in: fields, place, path: joined(path, key))
        }
        guard field.isUsable || field.isSupported && rest.isEmpty else {
            return ShapeCheck.unsupported(field, in: shape, place, path: joined(path, key))
        }
        var entries: [ScenarioNode.Entry] = []
        if case .map(let present) = node.content { entries = present }
        let rivals = fields.filter { $0.group != nil && $0.group == field.group && $0.name != key }.map(\.name)
        entries.removeAll { entry in
            guard let other = fields.first(where: { $0.name == entry.key }) else { return false }
            return Self.isReplaced(other, by: key, word: rest.isEmpty ? value.text : nil, rivals)
        }
        let path = joined(path, key)
        var problem: ScenarioProblem?
        if let index = entries.firstIndex(where: { $0.key == key }) {
            problem = set(rest, in: &entries[index].node, field.shape, path: path)
        } else {
            var fresh = ScenarioNode(content: .map([]), place: place)
            problem = set(rest, in: &fresh, field.shape, path: path)
            entries.append(ScenarioNode.Entry(key: key, place: place, node: fresh))
        }
        if problem == nil { node.content = .map(entries) }
        return problem
    }

    /// Whether setting one key removes another: an alternative to it, or what goes with another alternative.
    ///
    /// - Parameters:
    ///   - word: what the key is set to, if that is a scalar.
    ///   - rivals: the alternatives to the key.
    private static func isReplaced(
        _ other: Shape.Field, by key: String, word: String?, _ rivals: [String]
    ) -> Bool {
        let homes = ([other] + other.variants).compactMap(\.companion)
        if rivals.contains(other.name) || homes.contains(where: { rivals.contains($0.key) }) { return true }
        guard let word, homes.contains(where: { $0.key == key && $0.word != nil }) else { return false }
        return !homes.contains { $0.word == word }
    }

    /// Into a map whose keys are chosen by who writes it.
    private func setFree(
        _ components: ArraySlice<String>, in node: inout ScenarioNode, _ shape: Shape, path: String
    ) -> ScenarioProblem? {
        let (key, rest) = (components[components.startIndex], components.dropFirst())
        var entries: [ScenarioNode.Entry] = []
        if case .map(let present) = node.content { entries = present }
        let index = entries.firstIndex { $0.key == key } ?? entries.count
        if index == entries.count {
            let fresh = ScenarioNode(content: .map([]), place: place)
            entries.append(ScenarioNode.Entry(key: key, place: place, node: fresh))
        }
        let problem = set(rest, in: &entries[index].node, shape, path: joined(path, key))
        if problem == nil { node.content = .map(entries) }
        return problem
    }

    /// Into a list.
    private func setElement(
        _ components: ArraySlice<String>, in node: inout ScenarioNode, _ element: Shape, path: String
    ) -> ScenarioProblem? {
        let (component, rest) = (components[components.startIndex], components.dropFirst())
        var elements: [ScenarioNode] = []
        if case .list(let present) = node.content { elements = present }
        let path = joined(path, component)
        guard let index = Int(component), component.first?.isNumber == true, index <= elements.count else {
            let expected = elements.isEmpty ? "the index 0" : "an index from 0 to \(elements.count)"
            return ScenarioProblem(
                place, path: path, value: component, "'\(shortened(component))' is not in the list",
                expected: expected, hint: "\(elements.count) appends an element")
        }
        if index == elements.count { elements.append(ScenarioNode(content: .map([]), place: place)) }
        let problem = set(rest, in: &elements[index], element, path: path)
        if problem == nil { node.content = .list(elements) }
        return problem
    }
}
