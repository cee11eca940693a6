/// A share that run.json does not have by itself, as it follows from the members of a list's elements.
struct Share: Sendable {
    /// What a check calls it: "loss".
    let name: String
    /// The list's name.
    let list: String
    let kind: MetricKind
    let definition: String
    /// What is divided by what: "(unrepaired + late) / sent".
    let formula: String
    /// Paths below an element.
    private let addends: [String]
    private let divisor: String

    init(
        _ name: String, of list: String, worse: Worse, _ definition: String, formula: String, _ addends: [String],
        over divisor: String
    ) {
        self.name = name
        self.list = list
        kind = MetricKind(unit: .ratio, worse: worse)
        self.definition = definition
        self.formula = formula
        self.addends = addends
        self.divisor = divisor
    }

    /// Null where anything is not measured or there is nothing to divide by.
    func value(of element: JSONValue) -> JSONValue {
        var sum: Int64 = 0
        for path in addends {
            guard let addend = element.value(at: path)?.integer else { return nil }
            let (next, overflow) = sum.addingReportingOverflow(addend)
            if overflow { return nil }
            sum = next
        }
        guard let count = count(of: element), count != 0 else { return nil }
        return JSONValue(Double(sum) / Double(count))
    }

    /// What it is a share of; nil where that is not measured.
    func count(of element: JSONValue) -> Int64? { element.value(at: divisor)?.integer }
}

extension Catalog {
    static let shares = [
        Share(
            "loss", of: "flows", worse: .up,
            "Datagrams that never came, were not repaired, or came too late to be used, of those sent.",
            formula: "(unrepaired + late) / sent", ["packets.unrepaired", "packets.late"], over: "packets.sent"),
        Share(
            "presented", of: "substreams", worse: .down,
            "Units that were presented whole and on time, of those sent.", formula: "on_time / sent.units",
            ["presented.on_time"], over: "sent.units"),
    ]
}
