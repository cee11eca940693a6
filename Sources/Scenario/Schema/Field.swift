/// The declaration of a key of a map, or of several keys that exclude each other: name, kind, meaning, and where its
/// value stands in what the map is read as.
struct Field<Root: Sendable>: Sendable {
    /// As the shape has them.
    var keys: [Shape.Field]
    /// What is wrong where the (one) key is not there; nil: nothing.
    private var missing: Missing?
    /// Takes over what is written, if anything is.
    private let take: @Sendable (inout Root, ScenarioReader) -> Void
    /// What stands below the key, where that is part of the same whole.
    private var parts: [Field] = []
    let write: @Sendable (Root) -> [ScenarioText.Entry]

    init(
        keys: [Shape.Field], take: @escaping @Sendable (inout Root, ScenarioReader) -> Void,
        write: @escaping @Sendable (Root) -> [ScenarioText.Entry]
    ) {
        self.keys = keys
        self.take = take
        self.write = write
    }

    func read(into root: inout Root, _ reader: ScenarioReader) {
        if let missing, !reader.has(keys[0].name) { return reader[keys[0].name].report(missing) }
        take(&root, reader)
    }
}

// MARK: - Making fields

extension Field where Root: Sendable {
    /// - Parameters:
    ///   - set: with what is written.
    ///   - get: what is to be written; nil where nothing is.
    static func key<Value>(
        _ name: String, _ kind: Kind<Value>, _ meaning: String,
        get: @escaping @Sendable (Root) -> Value?, set: @escaping @Sendable (inout Root, Value) -> Void
    ) -> Field {
        Field(keys: [Shape.Field(name: name, shape: kind.shape, meaning: meaning)]) { [read = kind.read] root, reader in
            if reader.has(name), let value = read(reader[name]) { set(&root, value) }
        } write: { [write = kind.write] root in
            get(root).flatMap(write).map { [(name, $0)] } ?? []
        }
    }

    static func key<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ kind: Kind<Value>, _ meaning: String
    ) -> Field {
        key(name, kind, meaning, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
    }

    /// A key that is left out where there is nothing to say.
    static func optional<Value>(
        _ name: String, _ path: any WritableKeyPath<Root, Value?> & Sendable, _ kind: Kind<Value>, _ meaning: String
    ) -> Field {
        key(name, kind, meaning, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 })
    }

    /// A key that says what is so in any case.
    static func fixed<Value>(
        _ name: String, _ value: Value, _ kind: Kind<Value>, _ meaning: String
    ) -> Field where Value: Sendable {
        key(name, kind, meaning, get: { _ in value }, set: { _, _ in })
    }

    /// A key whose map holds other parts of the same whole.
    static func section(_ name: String, _ fields: [Field], _ meaning: String, isBlock: Bool = true) -> Field {
        let shape = Shape(keys: Shape.Keys(fields.flatMap(\.keys)))
        var field = Field(keys: [Shape.Field(name: name, shape: shape, meaning: meaning)]) { root, reader in
            guard reader.has(name) else { return }
            let reader = reader[name]
            for field in fields { field.read(into: &root, reader) }
        } write: { root in
            [(name, .map(fields.flatMap { $0.write(root) }, isBlock: isBlock))]
        }
        field.parts = fields
        return field
    }

    /// The keys of alternatives, among others.
    static func oneOf<Whole>(
        _ path: any WritableKeyPath<Root, Whole> & Sendable, _ choice: Choice<Whole>
    ) -> Field {
        Field(keys: choice.keys) { root, reader in
            if let value = choice.read(reader) { root[keyPath: path] = value }
        } write: { root in
            choice.write(root[keyPath: path])
        }
    }

    /// Recognized, and accepted as long as it is switched off.
    static func off(_ names: String...) -> Field {
        Field(keys: names.map { Shape.Field(name: $0, shape: .off) }) { _, _ in
        } write: { _ in
            []
        }
    }

    /// As part of something larger.
    func at<Whole>(_ path: any WritableKeyPath<Whole, Root> & Sendable) -> Field<Whole> {
        var field = Field<Whole>(keys: keys) { [take] whole, reader in
            take(&whole[keyPath: path], reader)
        } write: { [write] whole in
            write(whole[keyPath: path])
        }
        field.missing = missing
        return field
    }

    // MARK: - Further properties

    /// With what holds without each key, as far as that is what the record begins with.
    func documented(_ initial: Root) -> Field {
        var field = self
        guard parts.isEmpty else {
            field.parts = parts.map { $0.documented(initial) }
            field.keys[0].shape.keys = Shape.Keys(field.parts.flatMap(\.keys))
            return field
        }
        for index in keys.indices where keys[index].usual == nil && !keys[index].isRequired {
            field.keys[index].usual = { [name = keys[index].name, write] in
                write(initial).first { $0.key == name }?.text.defaultText
            }
        }
        return field
    }

    /// - Parameters:
    ///   - expected: nil: the kind's own words.
    ///   - example: in the problem, and for the reference.
    func required(_ expected: String? = nil, like example: String) -> Field {
        let noun = keys[0].shape.scalar?.noun ?? ""
        return required(Missing(expected: expected ?? "\(noun), such as \(example)"), like: example)
    }

    func required(_ missing: Missing, like example: String) -> Field {
        var field = self.like(example)
        field.missing = missing
        field.keys[0].isRequired = true
        return field
    }

    /// An example of its own.
    func like(_ example: String) -> Field {
        var field = self
        field.keys[0].example = example
        return field
    }

    /// What holds where it is left out, if that is not what the record begins with.
    func usually(_ words: @autoclosure @escaping @Sendable () -> String?) -> Field {
        var field = self
        field.keys[0].usual = words
        return field
    }

    /// A key that the example needs beside it, or in a map further out.
    func needs(_ key: String, _ example: String, levels: Int = 0) -> Field {
        var field = self
        for index in field.keys.indices {
            field.keys[index].needs.append(Shape.Need(levels: levels, key: key, example: example))
        }
        return field
    }
}

extension ScenarioText {
    /// As the reference gives it; nil where the keys below have defaults of their own.
    fileprivate var defaultText: String? {
        if case .map(_, isBlock: true) = self { return nil }
        return line
    }
}
