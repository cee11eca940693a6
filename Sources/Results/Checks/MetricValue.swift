/// A value that a path led to, with the path of that one element.
struct MetricValue: Sendable, Equatable {
    /// "flows[tv].packets.late": names exactly this value.
    var label: String
    var value: JSONValue
    /// How many samples it was made of: 1 for what is measured once a run, 0 for what was not measured.
    var count: Int64
    /// With fewer samples it says nothing: a p99 takes 100.
    var leastCount: Int64

    /// How far what was measured may be from the value; 0 where it is exact.
    var resolution: Int64 = 0

    init(label: String, value: JSONValue, count: Int64? = nil, leastCount: Int64 = 1) {
        self.label = label
        self.value = value
        self.count = count ?? (value.isNull ? 0 : 1)
        self.leastCount = leastCount
    }

    /// Whether it may be on the other side of a limit, for all that the value tells.
    func isWithinResolution(of limit: JSONValue) -> Bool {
        guard resolution > 0, let limit = limit.double, let value = value.double else { return false }
        return abs(value - limit) <= Double(resolution)
    }

    /// The label up to its last selection: "flows[tv]".
    var element: String {
        label.lastIndex(of: "]").map { String(label[...$0]) } ?? label
    }
}
