import Scenario

extension MetricPath {
    /// Whether it picks elements of a list by name or place.
    var selects: Bool { steps.contains { $0.selection != nil } }

    /// Every value that the path leads to in a run.json; none where a list is empty, null where nothing was measured.
    ///
    /// - Precondition: ``node()`` knows the path.
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element.
    func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        var walk = Walk(labels: labels)
        try walk.collect(Place(value: document, node: Catalog.root), steps[...], of: self)
        return walk.found
    }

    /// Where a path has come to in a document.
    private struct Place {
        var value: JSONValue
        var node: CatalogNode?
        var label = ""
        /// The group that it is a member of, and the list's element below which that is.
        var group: JSONValue = nil
        var element: JSONValue = nil

        /// The value there, with its samples.
        var found: MetricValue {
            guard let samples = node?.samples, !value.isNull else { return MetricValue(label: label, value: value) }
            let count = samples.isBeside ? group[samples.path] : element.value(at: samples.path)
            var found = MetricValue(
                label: label, value: value, count: count?.integer ?? 0, leastCount: samples.least)
            found.resolution = resolution
            return found
        }

        /// Of a quantile that is not told exactly; the largest value is, and so is what never varies.
        private var resolution: Int64 {
            guard let name = node?.name, DistributionMember(rawValue: name)?.isQuantile == true,
                let told = value.integer, value != group["max"], group["min"] != group["max"]
            else { return 0 }
            return DistributionMember.resolution(of: told)
        }

        func member(_ key: String) -> Place {
            Place(
                value: value[key] ?? MetricPath.absent(key, in: value), node: node?.child(key),
                label: label.isEmpty ? key : label + "." + key, group: value, element: element)
        }

        func element(_ index: Int, _ element: JSONValue, _ labels: ListLabels) -> Place {
            Place(
                value: element, node: node?.element, label: label + labels.label(of: element, at: index, in: label),
                element: element)
        }
    }

    private struct Walk {
        let labels: ListLabels
        var found: [MetricValue] = []

        mutating func collect(
            _ place: Place, _ steps: ArraySlice<Step>, of path: MetricPath
        ) throws(UserFacingError) {
            if case .list(let naming, _)? = place.node?.content, let elements = place.value.elements {
                let selections = steps.prefix { $0.selection != nil }
                var chosen = Array(elements.indices)
                for selection in selections.compactMap(\.selection) {
                    chosen = try path.select(selection, by: naming.selectors, from: chosen, of: elements, place.label)
                }
                for index in chosen {
                    try collect(
                        place.element(index, elements[index], labels), steps.dropFirst(selections.count), of: path)
                }
            } else if case .key(let key)? = steps.first {
                try collect(place.member(key), steps.dropFirst(), of: path)
            } else {
                found.append(place.found)
            }
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
