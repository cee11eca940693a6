/// A value that a path led to, with the path of that one element.
public struct MetricValue: Sendable, Equatable {
    /// "flows[tv].packets.late": names exactly this value.
    public var label: String
    public var value: JSONValue

    /// The label up to its last selection: "flows[tv]".
    var element: String {
        label.lastIndex(of: "]").map { String(label[...$0]) } ?? label
    }
}
