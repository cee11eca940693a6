/// The declaration of a map: its keys, what holds without them, and what they must agree on.
struct Record<Root: Sendable>: Sendable {
    /// Every default.
    let initial: Root
    let fields: [Field<Root>]
    private let rules: [Rule<Root>]
    let shape: Shape

    init(_ initial: Root, _ fields: [Field<Root>], rules: [Rule<Root>] = []) {
        self.initial = initial
        self.fields = fields.map { $0.documented(initial) }
        self.rules = rules
        shape = Shape(keys: Shape.Keys(self.fields.flatMap(\.keys)))
    }

    var keys: [Shape.Field] { shape.fields ?? [] }

    /// - Parameter reader: the map's, or that of a word that stands for a map without keys.
    func read(_ reader: ScenarioReader) -> Root? {
        if let node = reader.node {
            guard case .map = node.content else { return reader.failing() }
        }
        var root = initial
        read(into: &root, reader)
        return root
    }

    private func read(into root: inout Root, _ reader: ScenarioReader) {
        let context = reader.context
        var unsound: [String] = []
        for field in fields {
            let before = context.failures
            field.read(into: &root, reader)
            if context.failures != before { unsound += field.keys.map(\.name) }
        }
        for rule in rules where !rule.keys.contains(where: unsound.contains) { rule.apply(&root, reader) }
    }

    /// The keys of both.
    func and<Other>(_ other: Record<Other>) -> Record<(Root, Other)> {
        Record<(Root, Other)>(
            (initial, other.initial), fields.map { $0.at(\.0) } + other.fields.map { $0.at(\.1) },
            rules: rules.map { $0.at(\.0) } + other.rules.map { $0.at(\.1) })
    }

    func write(_ root: Root) -> [ScenarioText.Entry] { fields.flatMap { $0.write(root) } }

    /// A map of these keys.
    ///
    /// - Parameter isBlock: whether it is written a line a key, and left out without any.
    func kind(isBlock: Bool = false) -> Kind<Root> {
        Kind(shape) { reader in
            read(reader)
        } write: { root in
            let entries = write(root)
            return isBlock && entries.isEmpty ? nil : .map(entries, isBlock: isBlock)
        }
    }
}

/// What keys of a record must agree on, or settle together.
struct Rule<Root>: Sendable {
    /// It applies where none of these has a problem of its own.
    let keys: [String]
    /// Reports what is wrong.
    let apply: @Sendable (inout Root, ScenarioReader) -> Void

    init(_ keys: String..., apply: @escaping @Sendable (inout Root, ScenarioReader) -> Void) {
        self.init(keys, apply)
    }

    private init(_ keys: [String], _ apply: @escaping @Sendable (inout Root, ScenarioReader) -> Void) {
        self.keys = keys
        self.apply = apply
    }

    func at<Whole>(_ path: any WritableKeyPath<Whole, Root> & Sendable) -> Rule<Whole> {
        Rule<Whole>(keys) { [apply] whole, reader in apply(&whole[keyPath: path], reader) }
    }
}
