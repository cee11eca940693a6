/// Examples: a key in the map that it belongs to, with what it needs there.
enum ReferenceExample {
    /// YAML from the scenario's first level on: a line, and one before it for each key of that level that it needs.
    static func line(_ steps: [ReferenceStep]) -> String {
        guard case .key(let field, _)? = steps.last else { return "" }
        var text = value(of: field)
        var needs: [Shape.Need] = []
        for (index, step) in steps.enumerated().reversed() {
            switch step {
            case .index: text = "[ \(text) ]"
            case .free(let name, _): text = "{ \(name): \(text) }"
            case .key(let field, let fields):
                needs += field.needs
                let here = needs.filter { $0.levels == 0 }
                needs = needs.filter { $0.levels > 0 }.map {
                    Shape.Need(levels: $0.levels - 1, key: $0.key, example: $0.example)
                }
                guard index > 0 else {
                    let before = here.filter { $0.key != field.name }.map { "\($0.key): \($0.example)\n" }
                    return before.joined() + "\(field.name): \(text)"
                }
                text = map(field, text, here, among: fields)
            }
        }
        return text
    }

    private static func value(of field: Shape.Field) -> String { field.example ?? value(of: field.shape) }

    private static func value(of shape: Shape) -> String {
        if let scalar = shape.scalar { return scalar.example }
        if let fields = shape.fields?.filter(\.isUsable), let first = fields.first(where: \.isRequired) ?? fields.first
        {
            return map(first, value(of: first), [], among: fields)
        }
        if let element = shape.element.first { return "[ \(value(of: element)) ]" }
        if let inner = shape.anyValue.first { return "{ \(shape.exampleKey): \(value(of: inner)) }" }
        return shape.words.last(where: \.isSupported)?.text ?? "{}"
    }

    /// A map with one key, what it goes with, what it needs, and what is required beside it.
    private static func map(
        _ field: Shape.Field, _ text: String, _ needs: [Shape.Need], among fields: [Shape.Field]
    ) -> String {
        var entries = [field.name: text]
        for need in needs + field.needs where need.levels == 0 { entries[need.key] = entries[need.key] ?? need.example }
        if let companion = field.companion, entries[companion.key] == nil {
            let other = fields.first { $0.name == companion.key }
            entries[companion.key] = companion.word ?? other.map { value(of: $0) }
        }
        for sibling in fields {
            guard entries[sibling.name] == nil,
                let required = ([sibling] + sibling.variants).first(where: { isRequired($0, beside: entries, fields) })
            else { continue }
            entries[sibling.name] = value(of: required)
        }
        let ordered = fields.compactMap { field in entries[field.name].map { "\(field.name): \($0)" } }
        return "{ \(ordered.joined(separator: ", ")) }"
    }

    private static func isRequired(
        _ field: Shape.Field, beside entries: [String: String], _ fields: [Shape.Field]
    ) -> Bool {
        guard field.isRequired else { return false }
        if let companion = field.companion {
            return entries[companion.key].map { companion.word == nil || companion.word == $0 } ?? false
        }
        return field.group == nil || !fields.contains { $0.group == field.group && entries[$0.name] != nil }
    }
}
