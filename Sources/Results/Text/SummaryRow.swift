/// An element of a list of run.json, whose values the catalog says how to show.
struct SummaryRow<Element> {
    let element: Element
    private let node: CatalogNode
    private let document: JSONValue

    init(_ element: Element, of list: CatalogList<Element>) {
        self.element = element
        node = list.node
        document = list.members.document(of: element)
    }

    func cells(_ paths: String...) -> [TextTable.Cell] { paths.map { cell($0) } }

    /// The value at a path below the element, by its unit and by which way is worse.
    func cell(_ path: String) -> TextTable.Cell {
        var (node, value) = (Optional(node), Optional(document))
        for name in path.split(separator: ".").map(String.init) {
            (node, value) = (node?.child(name), value?[name])
        }
        return TextTable.Cell(value ?? nil, node?.kind ?? MetricKind(unit: .plain))
    }
}

extension TextTable.Cell {
    /// A value of run.json; what is not there is dim, and so is nothing wrong, that what is wrong stands out.
    init(_ value: JSONValue, _ kind: MetricKind) {
        switch (value, kind.unit, kind.worse) {
        case (.null, _, _): self = .missing
        case (.integer(let count), .count, .up): self.init(Format.count(count), count == 0 ? .dim : .yellow)
        case (.integer(let time), .nanoseconds, .awayFromZero): self.init(Format.time(time, signed: true))
        case (.integer(let frequency), .partsPerBillion, _): self.init(Format.frequency(frequency))
        default: self.init(Format.value(value, kind.unit))
        }
    }

    static var missing: TextTable.Cell { TextTable.Cell(Format.notMeasured, .dim) }

    /// A count of what should not be.
    static func bad(_ count: Int64) -> TextTable.Cell {
        TextTable.Cell(.integer(count), MetricKind(unit: .count, worse: .up))
    }
}
