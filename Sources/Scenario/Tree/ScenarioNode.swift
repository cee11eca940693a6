/// A piece of a scenario's text before it means anything: scalars, maps and lists, each with its place.
struct ScenarioNode: Sendable {
    indirect enum Content: Sendable {
        /// A text; `isPlain` where it was written without quotes.
        case scalar(String, isPlain: Bool)
        /// Keys in the order of the text, none twice.
        case map([Entry])
        case list([ScenarioNode])
    }

    struct Entry: Sendable {
        var key: String
        /// Where the key stands.
        var place: ScenarioProblem.Place
        var node: ScenarioNode
    }

    var content: Content
    var place: ScenarioProblem.Place

    subscript(_ key: String) -> ScenarioNode? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.node
    }

    /// The text of a scalar; nil for maps and lists.
    var text: String? {
        if case .scalar(let text, _) = content { return text }
        return nil
    }

    /// A key without a value, or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    /// What kind of thing it is, in words.
    var kindInWords: String {
        switch content {
        case .scalar: "a value"
        case .map: "keys"
        case .list: "a list"
        }
    }
}

func joined(_ path: String, _ component: some CustomStringConvertible) -> String {
    path.isEmpty ? "\(component)" : "\(path).\(component)"
}
