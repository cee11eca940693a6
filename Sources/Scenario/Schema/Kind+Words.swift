/// Words.
extension Kind {
    /// One word.
    static func word(_ word: String, _ meant: Value) -> Kind where Value: Equatable & Sendable {
        Kind(Shape(words: [Shape.Word(text: word)])) { reader in
            reader.text == word ? meant : reader.failing()
        } write: { value in
            value == meant ? .scalar(word) : nil
        }
    }

    /// An enumeration's words. Others are told with the shape.
    ///
    /// - Parameter unsupported: words that other versions know.
    static func words(unsupported: String...) -> Kind where Value: RawRepresentable<String> & CaseIterable & Sendable {
        let words = Value.allCases.map { Shape.Word(text: $0.rawValue) }
        return Kind(Shape(words: words + unsupported.map { Shape.Word(text: $0, isSupported: false) })) { reader in
            reader.text.flatMap { Value(rawValue: $0) } ?? reader.failing()
        } write: { value in
            .scalar(value.rawValue)
        }
    }
}

extension Kind where Value == Bool {
    static let truth = Kind(Shape(words: [Shape.Word(text: "true"), Shape.Word(text: "false")])) { reader in
        reader.text.flatMap { Bool($0) } ?? reader.failing()
    } write: { value in
        .scalar(value ? "true" : "false")
    }
}
