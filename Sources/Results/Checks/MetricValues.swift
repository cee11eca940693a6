/// A value that a path led to, with the path of that one element.
public struct MetricValue: Sendable, Equatable {
    /// "flows[tv].packets.late": names exactly this value.
    public var label: String
    public var value: JSONValue

    /// The label up to its last selection: "flows[tv]".
    var element: String {
        label.lastIndex(of: "]").map { String(label[...$0]) } ?? label
    }
}

/// By which members the elements of each list are told apart in labels.
///
/// Made from all the runs that are shown together, so that the same thing has the same label in each.
public struct ListLabels: Sendable {
    private var keys: [String: [String]] = [:]

    /// Members that `[x]` is compared with.
    static let selectable = ["id", "receiver", "node", "point", "path", "metric", "audio", "video"]

    /// Preferred first; the first that tells all elements apart is used.
    private static let candidates: [String: [[String]]] = [
        "flows": [["receiver"], ["id", "receiver"]],
        "substreams": [["id"], ["id", "receiver"]],
        "lip_sync": [["receiver"], ["receiver", "audio", "video"]],
        "playout": [["receiver"]],
        "clocks": [["node"]],
        "links": [["id"]],
        "transport_stream": [["point"]],
        "checks": [["metric"]],
        "artifacts": [["path"]],
    ]

    public init(of documents: [JSONValue]) {
        for (name, candidates) in ListLabels.candidates {
            let lists = documents.compactMap { (name == "checks" ? $0["qos"]?[name] : $0[name])?.elements }
            keys[name] = candidates.first { keys in lists.allSatisfy { ListLabels.areDistinct($0, by: keys) } }
        }
    }

    private static func areDistinct(_ list: [JSONValue], by keys: [String]) -> Bool {
        var seen: Set<[String]> = []
        for element in list {
            let values = keys.compactMap { element[$0]?.string }
            guard values.count == keys.count, !values.contains(where: { $0.isEmpty || $0.contains("]") }),
                seen.insert(values).inserted
            else { return false }
        }
        return true
    }

    func label(of element: JSONValue, at index: Int, in list: String) -> String {
        guard let keys = keys[list] else { return "[\(index)]" }
        return keys.compactMap { element[$0]?.string.map { "[\($0)]" } }.joined()
    }
}

extension MetricPath {
    /// Every value that the path leads to in a run.json; none where a list is empty, null where nothing was measured.
    ///
    /// - Precondition: ``schemaNode()`` knows the path.
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element of a list that has elements.
    public func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        var found: [MetricValue] = []
        try collect(document, steps[...], label: "", list: "", labels: labels, into: &found)
        return found
    }

    private func collect(
        _ value: JSONValue, _ steps: ArraySlice<Step>, label: String, list: String, labels: ListLabels,
        into found: inout [MetricValue]
    ) throws(UserFacingError) {
        if case .array(let elements) = value {
            var rest = steps
            var chosen = Array(elements.indices)
            while let selection = MetricPath.selection(rest.first) {
                chosen = try select(selection, from: chosen, of: elements, in: list)
                rest = rest.dropFirst()
            }
            for index in chosen {
                let label = label + labels.label(of: elements[index], at: index, in: list)
                try collect(elements[index], rest, label: label, list: "", labels: labels, into: &found)
            }
            return
        }
        guard case .key(let key)? = steps.first else {
            found.append(MetricValue(label: label, value: value))
            return
        }
        let next = value[key] ?? MetricPath.absent(key, in: value)
        let nextLabel = label.isEmpty ? key : label + "." + key
        try collect(next, steps.dropFirst(), label: nextLabel, list: key, labels: labels, into: &found)
    }

    private static func selection(_ step: Step?) -> String? {
        switch step {
        case .select(let selection): selection
        case .key(let key) where Int(key) != nil: key
        default: nil
        }
    }

    /// A run length that no run had occurred zero times; any other name that is not there was not measured.
    private static func absent(_ key: String, in value: JSONValue) -> JSONValue {
        if case .object = value, Int(key) != nil { return 0 }
        return nil
    }

    private func select(
        _ selection: String, from indices: [Int], of elements: [JSONValue], in list: String
    ) throws(UserFacingError) -> [Int] {
        let matching = indices.filter { index in
            ListLabels.selectable.contains { elements[index][$0]?.string == selection }
        }
        if !matching.isEmpty || indices.isEmpty { return matching }
        if let index = Int(selection), indices.indices.contains(index) { return [indices[index]] }
        throw MetricPath.unknownElement(
            selection, in: list, of: text,
            known: indices.flatMap { index in
                ListLabels.selectable.compactMap { elements[index][$0]?.string }
            })
    }

    static func unknownElement(
        _ selection: String, in list: String, of text: String, known: [String]
    ) -> UserFacingError {
        var seen: Set<String> = []
        let names = known.filter { !$0.isEmpty && seen.insert($0).inserted }
        let nearest = Suggestions.nearest(to: selection, among: names)
        let sample = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        return .usage(
            "'\(text)': \(list) has no '\(selection)'",
            remedy: Suggestions.question(nearest) ?? "known: \(sample)")
    }
}
