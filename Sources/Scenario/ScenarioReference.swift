/// One key of a scenario, explained.
public struct ScenarioKey: Equatable, Sendable {
    /// As `--set` takes it: `network.forward.0.loss.bernoulli`.
    public let path: String
    /// What may be written: "a time with its unit", "auto, vbr, or a bit rate with its unit".
    public let kind: String
    /// "from 0ms to 1h"; nil where the kind says all.
    public let range: String?
    /// What holds where it is left out; nil where that is nothing, or said by the keys below.
    public let usual: String?
    /// Whether what it is part of makes no sense without it.
    public let isRequired: Bool
    /// The key, perhaps with its word, that it goes with: "mahimahi", "codec: h264".
    public let companion: String?
    /// One sentence.
    public let meaning: String
    /// A scenario's line with this key in it and all that it needs, but for the program.
    public let example: String
}

/// Why there is nothing to explain.
public struct UnknownScenarioKey: Error, Equatable, Sendable {
    /// The path up to and with what is not known.
    public let path: String
    /// Paths that may have been meant, nearest first.
    public let suggestions: [String]
}

/// The reference of every key that this version supports, from the same declarations as all else.
public enum ScenarioReference {
    /// - Parameter path: of the key to begin with, as ``ScenarioKey/path``, with any index or name where one is chosen
    ///   freely; empty: all keys.
    /// - Returns: the key and all below it. Keys that have been explained before, in another place, are not again.
    public static func keys(below path: String = "") throws(UnknownScenarioKey) -> [ScenarioKey] {
        var walk = ReferenceWalk()
        let root = ExperimentScenario.record.shape
        guard !path.isEmpty else {
            walk.descend(into: root, [])
            return walk.keys
        }
        let components = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var shape = root
        var steps: [ReferenceStep] = []
        for (index, component) in components.enumerated() {
            guard let step = step(component, in: shape) else {
                throw unknown(components[...index], in: shape)
            }
            steps.append(step)
            shape = step.shape
        }
        if case .key = steps.last { walk.explain(steps) } else { walk.descend(into: shape, steps) }
        return walk.keys
    }

    private static func step(_ component: String, in shape: Shape) -> ReferenceStep? {
        if let fields = shape.fields, let field = fields.first(where: { $0.name == component && $0.isUsable }) {
            return .key(field, among: fields)
        }
        if let value = shape.anyValue.first, !component.isEmpty { return .free(component, value) }
        if let element = shape.element.first, Int(component) != nil { return .index(component, element) }
        return nil
    }

    /// Names beside it that are near; else paths that end in such a name.
    private static func unknown(_ components: ArraySlice<String>, in shape: Shape) -> UnknownScenarioKey {
        let prefix = components.dropLast().map { $0 + "." }.joined()
        let last = components.last ?? ""
        let siblings = (shape.fields ?? []).filter(\.isUsable).map(\.name)
        var names = Suggestions.nearest(to: last, among: siblings).map { prefix + $0 }
        if !prefix.isEmpty, siblings.isEmpty, shape.anyValue.isEmpty {
            // Nothing is below a scalar; of a list the number is missing.
            names = [prefix.dropLast() + (shape.element.isEmpty ? "" : ".0")]
        } else if names.isEmpty, last.count > 3 {
            var walk = ReferenceWalk()
            walk.descend(into: ExperimentScenario.record.shape, [])
            let paths = walk.keys.map(\.path)
            let ends = paths.map { String($0.split(separator: ".").last ?? "") }
            let near = Suggestions.nearest(to: last, among: Array(Set(ends)).sorted(), limit: 1)
            names = zip(paths, ends).filter { near.contains($0.1) }.map(\.0).sorted {
                $0.count { $0 == "." } < $1.count { $0 == "." }
            }
        }
        return UnknownScenarioKey(path: prefix + last, suggestions: Array(names.prefix(3)))
    }
}

/// A part of a path.
enum ReferenceStep {
    case key(Shape.Field, among: [Shape.Field])
    case index(String, Shape)
    case free(String, Shape)

    var shape: Shape {
        switch self {
        case .key(let field, _): field.shape
        case .index(_, let shape), .free(_, let shape): shape
        }
    }

    var name: String {
        switch self {
        case .key(let field, _): field.name
        case .index(let name, _), .free(let name, _): name
        }
    }
}

/// Goes through shapes and gathers what is to be said.
private struct ReferenceWalk {
    var keys: [ScenarioKey] = []
    /// Where each declaration was met first.
    private var paths: [ObjectIdentifier: String] = [:]

    /// A key, its variants, and all below it.
    mutating func explain(_ steps: [ReferenceStep]) {
        guard case .key(let field, let fields)? = steps.last else { return }
        for variant in [field] + field.variants {
            let steps = steps.dropLast() + [.key(variant, among: fields)]
            let shape = variant.shape
            keys.append(
                ScenarioKey(
                    path: path(Array(steps)), kind: words(shape), range: shape.scalar?.range?(),
                    usual: variant.usual?(), isRequired: variant.isRequired && variant.group == nil,
                    companion: variant.companion?.text,
                    meaning: variant.meaning, example: ReferenceExample.line(Array(steps))))
        }
        descend(into: field.shape, steps)
    }

    mutating func descend(into shape: Shape, _ steps: [ReferenceStep]) {
        if let declared = shape.keys {
            guard paths[ObjectIdentifier(declared)] == nil else { return }
            paths[ObjectIdentifier(declared)] = path(steps)
            for field in declared.fields where field.isUsable { explain(steps + [.key(field, among: declared.fields)]) }
        }
        if let element = shape.element.first { descend(into: element, steps + [.index("0", element)]) }
        if let value = shape.anyValue.first { descend(into: value, steps + [.free(shape.exampleKey, value)]) }
    }

    private func path(_ steps: [ReferenceStep]) -> String { steps.map(\.name).joined(separator: ".") }

    /// "none, or one of bernoulli, ...".
    private func words(_ shape: Shape) -> String {
        var choices = shape.words.filter(\.isSupported).map(\.text)
        var last: [String] = []
        if let scalar = shape.scalar { last.append(scalar.noun) }
        if let keys = shape.keys, keys.fields.contains(where: \.isUsable) {
            let names = keys.fields.filter(\.isUsable).map(\.name).joined(separator: ", ")
            let known = paths[ObjectIdentifier(keys)].map { " as \($0.isEmpty ? "a scenario" : $0)" }
            last.append(known.map { "a map" + $0 } ?? (shape.isChoice ? "one of " : "a map of ") + names)
        }
        if let element = shape.element.first { last.append("a list, each " + words(element)) }
        if let value = shape.anyValue.first { last.append("a map of names, each " + words(value)) }
        guard let final = last.popLast() else { return choices.joined(separator: ", ") }
        choices += last
        return choices.isEmpty ? final : choices.joined(separator: ", ") + ", or " + final
    }
}
