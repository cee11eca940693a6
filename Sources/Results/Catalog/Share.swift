/// A share that run.json does not have by itself, as it follows from the members of a list's elements.
struct Share: Sendable {
    /// What a check calls it: "loss".
    let name: String
    /// The list's name.
    let list: String
    let worse: Worse
    let definition: String
    /// What is divided by what: "(unrepaired + late) / sent".
    let formula: String
    /// Paths below an element.
    fileprivate let addends: [String]
    fileprivate let divisor: String

    var kind: MetricKind { MetricKind(unit: .ratio, worse: worse) }

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
            name: "loss", list: "flows", worse: .up,
            definition: "Datagrams that never came, were not repaired, or came too late to be used, of those sent.",
            formula: "(unrepaired + late) / sent", addends: ["packets.unrepaired", "packets.late"],
            divisor: "packets.sent"),
        Share(
            name: "presented", list: "substreams", worse: .down,
            definition: "Units that were presented whole and on time, of those sent.", formula: "on_time / sent.units",
            addends: ["presented.on_time"], divisor: "sent.units"),
    ]
}
