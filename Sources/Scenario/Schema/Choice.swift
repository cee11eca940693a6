/// One way to describe something, and what of the whole it stands for.
struct Alternative<Whole>: Sendable {
    /// Its name: a key, or the word of another key.
    let name: String
    /// Where the name is a key, that key comes first.
    let keys: [Shape.Field]
    let read: @Sendable (ScenarioReader) -> Whole?
    /// Nil for another alternative.
    let write: @Sendable (Whole) -> [ScenarioText.Entry]?
    /// Whether its name alone, as a word, stands for it with all defaults.
    var mayStandAlone = false

    /// One key with its value.
    init<Payload>(
        _ name: String, _ kind: Kind<Payload>, _ meaning: String, embed: @escaping @Sendable (Payload) -> Whole,
        extract: @escaping @Sendable (Whole) -> Payload?
    ) {
        self.name = name
        keys = [Shape.Field(name: name, shape: kind.shape, meaning: meaning)]
        read = { [read = kind.read] in read($0[name]).map(embed) }
        write = { [write = kind.write] in extract($0).flatMap(write).map { [(name, $0)] } }
    }

    /// Keys beside each other.
    ///
    /// - Parameters:
    ///   - name: of another key; nil: the first key is its name.
    ///   - embed: nil for what it has reported.
    init<Payload>(
        word name: String? = nil, _ record: Record<Payload>,
        embed: @escaping @Sendable (Payload, ScenarioReader) -> Whole?,
        extract: @escaping @Sendable (Whole) -> Payload?
    ) {
        var keys = record.keys
        if name == nil { keys[0].usual = { nil } }
        self.name = name ?? keys[0].name
        self.keys = keys
        read = { reader in record.read(reader).flatMap { embed($0, reader) } }
        write = { extract($0).map(record.write) }
    }

    init<Payload>(
        word name: String? = nil, _ record: Record<Payload>, embed: @escaping @Sendable (Payload) -> Whole,
        extract: @escaping @Sendable (Whole) -> Payload?
    ) {
        self.init(word: name, record, embed: { payload, _ in embed(payload) }, extract: extract)
    }

    func like(_ example: String) -> Alternative {
        var keys = keys
        keys[0].example = example
        return Alternative(self, keys: keys)
    }

    func standingAlone() -> Alternative {
        var copy = self
        copy.mayStandAlone = true
        return copy
    }

    private init(_ other: Alternative, keys: [Shape.Field]) {
        name = other.name
        self.keys = keys
        read = other.read
        write = other.write
        mayStandAlone = other.mayStandAlone
    }
}

/// Alternatives that exclude each other.
struct Choice<Whole>: Sendable {
    let keys: [Shape.Field]
    private let alternatives: [Alternative<Whole>]
    /// The key whose word chooses; nil: the alternatives' first keys do.
    private let tag: String?
    /// The alternative that holds where none is chosen.
    private let usual: String?
    /// What is wrong where none is chosen and none is usual; nil: what the shape says.
    private let missing: Missing?
    /// Whether nothing is written where the usual one is.
    private let isUsualSilent: Bool

    /// Alternatives by their first keys.
    init(
        _ alternatives: [Alternative<Whole>], unsupported: [String] = [], group: String = Shape.alternatives,
        usual: String? = nil, missing: Missing? = nil
    ) {
        let isRequired = usual != nil || missing != nil
        let chosen = usual ?? alternatives.first?.name
        let fields = alternatives.flatMap { alternative in
            alternative.keys.enumerated().map { index, key in
                var key = key
                if index == 0 {
                    key.group = group
                    key.isRequired = isRequired && key.name == chosen
                    // What a record begins with is none of these.
                    if missing != nil { key.usual = { nil } }
                } else {
                    key.companion = Shape.Companion(key: alternative.name)
                }
                return key
            }
        }
        keys = fields + unsupported.map { .unsupported($0, group: group) }
        self.alternatives = alternatives
        self.usual = usual
        self.missing = missing
        tag = nil
        isUsualSilent = false
    }

    /// Alternatives by the word behind a key.
    ///
    /// - Parameter usual: nil: the key is required.
    init(
        by tag: Shape.Field, _ alternatives: [Alternative<Whole>], usual: String? = nil, missing: Missing? = nil,
        isUsualSilent: Bool = false
    ) {
        var tag = tag
        tag.shape = Shape(words: alternatives.map { Shape.Word(text: $0.name) })
        tag.isRequired = usual == nil
        tag.usual = tag.usual ?? { usual }
        var keys = [tag]
        for alternative in alternatives {
            for var key in alternative.keys {
                key.companion = Shape.Companion(key: tag.name, word: alternative.name)
                if let index = keys.firstIndex(where: { $0.name == key.name }) {
                    keys[index].group = keys[index].group ?? key.group
                    keys[index].variants.append(key)
                } else {
                    keys.append(key)
                }
            }
        }
        self.keys = keys
        self.alternatives = alternatives
        self.tag = tag.name
        self.usual = usual
        self.missing = missing
        self.isUsualSilent = isUsualSilent
    }

    // MARK: - Reading and writing

    func read(_ reader: ScenarioReader) -> Whole? {
        if let tag {
            if reader.has(tag), chosen(reader) == nil { return reader.failing() }
        } else if let word = reader.text {
            guard let alone = alternatives.first(where: { $0.mayStandAlone && $0.name == word }) else {
                return reader.failing()
            }
            return alone.read(reader)
        }
        guard let alternative = chosen(reader) ?? alternatives.first(where: { $0.name == usual }) else {
            if let missing { (tag.map { reader[$0] } ?? reader).report(missing) }
            return nil
        }
        refuseOthers(reader, than: alternative)
        return alternative.read(reader)
    }

    private func chosen(_ reader: ScenarioReader) -> Alternative<Whole>? {
        guard let tag else { return alternatives.first { reader.has($0.name) } }
        let word = reader[tag].text
        return alternatives.first { $0.name == word }
    }

    /// Keys that go with alternatives that are not there.
    private func refuseOthers(_ reader: ScenarioReader, than chosen: Alternative<Whole>) {
        for key in keys where key.companion != nil && reader.has(key.name) {
            let homes = ([key] + key.variants).compactMap(\.companion)
            if homes.contains(where: { $0.word.map { $0 == chosen.name } ?? reader.has($0.key) }) { continue }
            let names = homes.map { "'\($0.text)'" }.joined(separator: " or ")
            reader[key.name].report("'\(key.name)' goes with \(names)", hint: "leave it out")
        }
    }

    func write(_ whole: Whole) -> [ScenarioText.Entry] {
        for alternative in alternatives {
            guard let entries = alternative.write(whole) else { continue }
            guard let tag else { return entries }
            return isUsualSilent && alternative.name == usual ? [] : [(tag, .scalar(alternative.name))] + entries
        }
        return []
    }

    /// A map of nothing else.
    func kind(isBlock: Bool = false) -> Kind<Whole> {
        let words = alternatives.filter(\.mayStandAlone).map { Shape.Word(text: $0.name) }
        let shape = Shape(words: words, keys: Shape.Keys(keys))
        return Kind(shape) { reader in
            // Where nothing is chosen, the shape has told it.
            guard let content = reader.node?.content, shape.accepts(content) else { return reader.failing() }
            return read(reader) ?? reader.failing()
        } write: { whole in
            let entries = write(whole)
            return entries.isEmpty ? nil : .map(entries, isBlock: isBlock)
        }
    }
}
