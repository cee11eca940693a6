import Yams

/// A scenario's YAML as values, for showing and comparing; what it means is not looked at.
public enum ScenarioText {
    /// - Throws: ``UserFacingError`` when it is not YAML.
    public static func json(_ text: String) throws -> JSONValue {
        do {
            guard let node = try Yams.compose(yaml: text) else { return nil }
            return value(node)
        } catch let error as YamlError {
            throw UserFacingError("the scenario is not YAML: \(error)")
        }
    }

    /// Every value by its path, in the order of the text: "network.forward.0.delay": "20ms".
    static func flattened(_ value: JSONValue, under prefix: String = "") -> [(path: String, value: String)] {
        func below(_ name: String) -> String { prefix.isEmpty ? name : prefix + "." + name }
        switch value {
        case .object(let object) where !object.members.isEmpty:
            return object.members.flatMap { flattened($0.value, under: below($0.name)) }
        case .array(let elements) where !elements.isEmpty:
            return elements.enumerated().flatMap { flattened($1, under: below($0.description)) }
        case .string(let text): return [(prefix, text)]
        case .null: return [(prefix, "null")]
        case .bool(let truth): return [(prefix, truth.description)]
        case .integer(let number): return [(prefix, number.description)]
        case .number(let number): return [(prefix, number.description)]
        case .array: return [(prefix, "[]")]
        case .object: return [(prefix, "{}")]
        }
    }

    private static func value(_ node: Node) -> JSONValue {
        switch node {
        case .scalar(let scalar): return value(scalar)
        case .sequence(let sequence): return .array(sequence.map(value))
        case .mapping(let mapping):
            return .object(JSONObject(mapping.map { JSONObject.Member($0.key.string ?? "", value($0.value)) }))
        case .alias: return nil
        }
    }

    /// Only what is written plainly can be anything but text (YAML 1.2 §10.3, core schema).
    private static func value(_ scalar: Node.Scalar) -> JSONValue {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return nil
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        if let whole = Int64(text) { return .integer(whole) }
        if text.utf8.first.map({ "+-.0123456789".utf8.contains($0) }) == true, let number = Double(text),
            number.isFinite, !text.contains(where: { "xXpP".contains($0) })
        {
            return .number(number)
        }
        return .string(text)
    }
}
