/// What may stand at a place of a scenario: words, other scalars, a map of fields, a list, or several of these.
struct Shape: Sendable {
    /// One word of a closed set.
    struct Word: Sendable {
        var text: String
        var isSupported = true
    }

    /// One key of a map.
    struct Field: Sendable {
        var name: String
        var shape: Shape
        /// Fields of one group exclude each other: setting one replaces the other.
        var group: String?
        /// The alternative that this field goes with, and is removed with.
        var companionOf: String?
        var isSupported = true
    }

    var words: [Word] = []
    /// Any scalar, which the decoder reads.
    var takesValue = false
    /// Nil when a map cannot stand here.
    var fields: [Field]?
    /// One element, or none when a list cannot stand here.
    var element: [Shape] = []
    /// What any key of a map holds, where the keys are names that the scenario's writer chooses; one element, or none.
    var anyValue: [Shape] = []
    /// Not supported yet: only what switches it off (zero, false, none, an empty list) may be written.
    var isOff = false

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

    // MARK: - Making shapes

    static let value = Shape(takesValue: true)
    static let truth = words("true", "false")
    static let off = Shape(isOff: true)

    static func words(_ supported: String..., unsupported: [String] = []) -> Shape {
        Shape(words: supported.map { Word(text: $0) } + unsupported.map { Word(text: $0, isSupported: false) })
    }

    static func keys(_ fields: Field...) -> Shape { Shape(fields: fields) }

    /// A map with exactly one of these keys.
    static func choice(_ fields: Field..., unsupported: [String] = []) -> Shape {
        let all = fields + unsupported.map { .unsupported($0) }
        return Shape(
            fields: all.map { field in
                var field = field
                field.group = "alternatives"
                return field
            })
    }

    /// A map whose keys are chosen by who writes it.
    static func map(_ value: Shape) -> Shape { Shape(anyValue: [value]) }

    static func list(_ element: Shape) -> Shape { Shape(element: [element]) }

    /// What either of two shapes allows; the fields and the element of the first that has them.
    func or(_ other: Shape) -> Shape {
        Shape(
            words: words + other.words, takesValue: takesValue || other.takesValue, fields: fields ?? other.fields,
            element: element.isEmpty ? other.element : element, anyValue: anyValue.isEmpty ? other.anyValue : anyValue)
    }
}

extension Shape.Field {
    static func field(_ name: String, _ shape: Shape = .value, group: String? = nil, with other: String? = nil) -> Self
    {
        Self(name: name, shape: shape, group: group, companionOf: other)
    }

    static func unsupported(_ name: String, group: String? = nil) -> Self {
        Self(name: name, shape: Shape(), group: group, isSupported: false)
    }

    /// Recognized, and accepted as long as it is switched off.
    static func off(_ name: String) -> Self { Self(name: name, shape: .off) }
}
