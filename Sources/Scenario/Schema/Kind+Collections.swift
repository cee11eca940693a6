/// Lists and maps.
extension Kind {
    /// A list of such values.
    ///
    /// - Parameters:
    ///   - most: how many of them there may be, and what they are called.
    ///   - empty: what is wrong where there is none; nil: nothing.
    func list(most: (count: Int, noun: String)? = nil, empty: Missing? = nil, isBlock: Bool = false) -> Kind<[Value]> {
        Kind<[Value]>(Shape(element: [shape])) { [read] reader in
            guard let elements = reader.elements else { return reader.failing() }
            if let empty, elements.isEmpty { reader.report(empty) }
            if let most, elements.count > most.count {
                reader.report("\(elements.count) \(most.noun)", expected: "at most \(most.count)")
            }
            return elements.compactMap(read)
        } write: { [write] values in
            .list(values.compactMap(write), isBlock: isBlock)
        }
    }

    /// A map whose keys are chosen by who writes it, in the order of the text.
    func keyed(like key: String) -> Kind<[(key: String, value: Value)]> {
        Kind<[(key: String, value: Value)]>(Shape(anyValue: [shape], exampleKey: key)) { [read] reader in
            guard let entries = reader.entries else { return reader.failing() }
            return entries.compactMap { entry in read(entry.value).map { (entry.key, $0) } }
        } write: { [write] entries in
            .map(entries.compactMap { entry in write(entry.value).map { (entry.key, $0) } }, isBlock: false)
        }
    }
}
