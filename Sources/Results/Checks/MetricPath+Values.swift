import Scenario

extension MetricPath {
    /// Whether it picks elements of a list by name or place.
    var selects: Bool { steps.contains { $0.selection != nil } }

    /// Every value that the path leads to in a run.json; none where a list is empty, null where nothing was measured.
    ///
    /// - Precondition: ``node()`` knows the path.
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element.
    public func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        var found: [MetricValue] = []
        try collect(document, Catalog.root, steps[...], label: "", labels: labels, into: &found)
        return found
    }

    private func collect(
        _ value: JSONValue, _ node: CatalogNode?, _ steps: ArraySlice<Step>, label: String, labels: ListLabels,
        into found: inout [MetricValue]
    ) throws(UserFacingError) {
        if case .list(let naming, _)? = node?.content, let elements = value.elements {
            let selections = steps.prefix { $0.selection != nil }
            var chosen = Array(elements.indices)
            for selection in selections.compactMap(\.selection) {
                chosen = try select(selection, by: naming.selectors, from: chosen, of: elements, label)
            }
            for index in chosen {
                try collect(
                    elements[index], node?.element, steps.dropFirst(selections.count),
                    label: label + labels.label(of: elements[index], at: index, in: label), labels: labels,
                    into: &found)
            }
        } else if case .key(let key)? = steps.first {
            try collect(
                value[key] ?? MetricPath.absent(key, in: value), node?.child(key), steps.dropFirst(),
                label: label.isEmpty ? key : label + "." + key, labels: labels, into: &found)
        } else {
            found.append(MetricValue(label: label, value: value))
        }
    }

    /// A run length that no run had occurred zero times; any other name that is not there was not measured.
    private static func absent(_ key: String, in value: JSONValue) -> JSONValue {
        if case .object = value, Int(key) != nil { return 0 }
        return nil
    }

    private func select(
        _ selection: String, by selectors: [String], from indices: [Int], of elements: [JSONValue], _ list: String
    ) throws(UserFacingError) -> [Int] {
        let matching = indices.filter { index in selectors.contains { elements[index][$0]?.string == selection } }
        if !matching.isEmpty { return matching }
        if let index = Int(selection), indices.indices.contains(index) { return [indices[index]] }
        var names: [String] = []
        for name in indices.flatMap({ index in selectors.compactMap { elements[index][$0]?.string } })
        where !name.isEmpty && !names.contains(name) {
            names.append(name)
        }
        let sample = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        throw .usage(
            "'\(text)': \(list) has no '\(selection)'",
            remedy: Suggestions.question(Suggestions.nearest(to: selection, among: names))
                ?? (names.isEmpty ? "the list is empty" : "known: \(sample)"))
    }
}
