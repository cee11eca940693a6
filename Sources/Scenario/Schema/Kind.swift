/// What may be written at one place of a scenario, and the value that it stands for: its shape, how it is read and how
/// it is written come from one declaration.
struct Kind<Value>: Sendable {
    let shape: Shape
    /// Nil for what cannot be read, after a problem.
    let read: @Sendable (ScenarioReader) -> Value?
    /// Nil where the kind has no words for the value.
    let write: @Sendable (Value) -> ScenarioText?

    init(
        _ shape: Shape, read: @escaping @Sendable (ScenarioReader) -> Value?,
        write: @escaping @Sendable (Value) -> ScenarioText?
    ) {
        self.shape = shape
        self.read = read
        self.write = write
    }

    /// This kind, or another one where something else is written.
    func or(_ other: Kind) -> Kind {
        let shape = shape
        return Kind(shape.or(other.shape)) { [read, other] reader in
            guard let content = reader.node?.content, !shape.accepts(content) else { return read(reader) }
            return other.read(reader)
        } write: { [write, other] value in
            write(value) ?? other.write(value)
        }
    }

    /// A kind, or a word that stands for nil.
    static func optional<Wrapped>(_ kind: Kind<Wrapped>, nil word: String = "none") -> Kind where Value == Wrapped? {
        Kind(Shape(words: [Shape.Word(text: word)]).or(kind.shape)) { reader in
            reader.text == word ? .some(nil) : kind.read(reader).map { .some($0) }
        } write: { value in
            value.map(kind.write) ?? .scalar(word)
        }
    }

    /// Further conditions, and what else they settle.
    ///
    /// - Parameters:
    ///   - range: what they leave of the scalar's, in words; nil: all of it.
    ///   - check: reports what is wrong.
    func checked(
        range: (@Sendable () -> String)? = nil, _ check: @escaping @Sendable (inout Value, ScenarioReader) -> Void
    ) -> Kind {
        var shape = shape
        if let range { shape.scalar?.range = range }
        return Kind(shape) { [read] reader in
            guard var value = read(reader) else { return nil }
            check(&value, reader)
            return value
        } write: { [write] value in
            write(value)
        }
    }

    /// The same text for another value.
    ///
    /// - Parameters:
    ///   - embed: nil for what it has reported.
    ///   - extract: nil for a value that this kind does not write.
    func mapped<Whole>(
        embed: @escaping @Sendable (Value, ScenarioReader) -> Whole?, extract: @escaping @Sendable (Whole) -> Value?
    ) -> Kind<Whole> {
        Kind<Whole>(shape) { [read] reader in
            read(reader).flatMap { embed($0, reader) }
        } write: { [write] whole in
            extract(whole).flatMap(write)
        }
    }

    func mapped<Whole>(
        embed: @escaping @Sendable (Value) -> Whole, extract: @escaping @Sendable (Whole) -> Value?
    ) -> Kind<Whole> {
        mapped(embed: { value, _ in embed(value) }, extract: extract)
    }

    /// Alternatives that this version does not support.
    static func unsupported(_ names: String...) -> Kind {
        let fields = names.map { Shape.Field.unsupported($0, group: Shape.alternatives) }
        return Kind(Shape(keys: Shape.Keys(fields))) {
            $0.failing()
        } write: { _ in
            nil
        }
    }
}

extension Shape {
    /// The group of a map's only fields.
    static let alternatives = "alternatives"
}
