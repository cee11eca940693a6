/// What may stand at a place of a scenario: words, other scalars, a map of keys, a list, or several of these.
///
/// The declarations without their types: what checking, `--set` and the reference need to know of them.
struct Shape: Sendable {
    /// One word of a closed set.
    struct Word: Sendable {
        var text: String
        var isSupported = true
    }

    /// Scalars that a kind reads.
    struct Scalar: Sendable {
        /// "a time with its unit".
        var noun: String
        /// "20ms".
        var example: String
        /// "from 0ms to 1h".
        var range: (@Sendable () -> String)?
    }

    /// Keys, an object so that one declaration can be recognized in several places.
    final class Keys: Sendable {
        let fields: [Field]

        init(_ fields: [Field]) { self.fields = fields }
    }

    var words: [Word] = []
    /// Nil when only words can stand here.
    var scalar: Scalar?
    /// Nil when a map cannot stand here.
    var keys: Keys?
    /// One element, or none when a list cannot stand here.
    var element: [Shape] = []
    /// What any key of a map holds, where the keys are names that the scenario's writer chooses; one element, or none.
    var anyValue: [Shape] = []
    /// Such a name.
    var exampleKey = ""
    /// Not supported yet: only what switches it off (zero, false, none, an empty list) may be written.
    var isOff = false

    var fields: [Field]? { keys?.fields }

    static let off = Shape(isOff: true)

    /// What either of two shapes allows; the scalar, the keys and the element of the first that has them.
    func or(_ other: Shape) -> Shape {
        Shape(
            words: words + other.words, scalar: scalar ?? other.scalar, keys: keys ?? other.keys,
            element: element.isEmpty ? other.element : element, anyValue: anyValue.isEmpty ? other.anyValue : anyValue,
            exampleKey: exampleKey.isEmpty ? other.exampleKey : exampleKey)
    }

    /// Whether what is written there is of this kind, right or wrong.
    func accepts(_ content: ScenarioNode.Content) -> Bool {
        switch content {
        case .scalar(let text, _): scalar != nil || words.contains { $0.text == text }
        case .map: keys != nil || !anyValue.isEmpty
        case .list: !element.isEmpty
        }
    }

    /// Whether a map has exactly one of its fields, as `loss: { bernoulli: 1% }`.
    var isChoice: Bool {
        guard let fields, let group = fields.first?.group else { return false }
        return fields.allSatisfy { $0.group == group }
    }

    /// What may be written here in this version, in words.
    var supportedInWords: String {
        var choices = words.filter(\.isSupported).map(\.text)
        if isChoice { choices += (fields ?? []).filter(\.isSupported).map { "\($0.name): ..." } }
        return choices.joined(separator: ", ")
    }
}

extension Shape {
    /// One key of a map.
    struct Field: Sendable {
        var name: String
        var shape: Shape
        /// What it means, one sentence.
        var meaning = ""
        /// Fields of one group exclude each other: setting one replaces the other.
        var group: String?
        /// The alternative that this key goes with, and is removed with.
        var companion: Companion?
        /// The same key of other alternatives.
        var variants: [Field] = []
        var isSupported = true
        /// Whether its map makes no sense without it; of a group's first field: without one of the group.
        var isRequired = false
        /// What holds where it is left out.
        var usual: (@Sendable () -> String?)?
        /// A value that is read.
        var example: String?
        /// What its example needs beside it.
        var needs: [Need] = []

        static func unsupported(_ name: String, group: String? = nil) -> Field {
            Field(name: name, shape: Shape(), group: group, isSupported: false)
        }

        /// The one of its variants whose alternative is chosen in a map; itself where that is not said.
        func variant(in entries: [ScenarioNode.Entry]) -> Field {
            guard !variants.isEmpty else { return self }
            return ([self] + variants).first { variant in
                guard let companion = variant.companion, let word = companion.word,
                    let tag = entries.first(where: { $0.key == companion.key }),
                    case .scalar(let text, _) = tag.node.content
                else { return false }
                return text == word
            } ?? self
        }

        /// Whether it may be written with an effect.
        var isUsable: Bool { isSupported && !shape.isOff }
    }

    /// `file`; or, of a word, `codec: h264`.
    struct Companion: Sendable, Equatable {
        var key: String
        var word: String?

        var text: String { word.map { "\(key): \($0)" } ?? key }
    }

    /// A key that another one's example needs.
    struct Need: Sendable {
        /// How many maps further out it stands.
        var levels: Int
        var key: String
        var example: String
    }
}
