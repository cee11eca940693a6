/// The name of a number in run.json: "lip_sync.skew_ns.p95", "flows[tv].packets.late", "links[0].drops.loss".
///
/// A path through a list stands for every element; `[x]` picks those that the list's selectors call x, or, when there are
/// none, the one at index x. Two selections narrow further: "substreams[video][tv]".
struct MetricPath: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case key(String)
        case select(String)

        /// What the step selects where it stands behind a list: `[x]`, or a number.
        var selection: String? {
            switch self {
            case .select(let selection): selection
            case .key(let key): Int(key) == nil ? nil : key
            }
        }
    }

    /// As the user wrote it.
    let text: String
    let steps: [Step]

    /// - Throws: ``UserFacingError`` (usage) when it is not a path at all; names are not looked at.
    init(parsing source: some StringProtocol) throws(UserFacingError) {
        text = String(source)
        var steps: [Step] = []
        var rest = Substring(source)
        guard !rest.isEmpty else { throw MetricPath.malformed(text) }
        var mayDot = false
        while let first = rest.first {
            if first == "[" {
                guard let end = rest.firstIndex(of: "]"), mayDot else { throw MetricPath.malformed(text) }
                let selection = rest[rest.index(after: rest.startIndex)..<end]
                guard !selection.isEmpty else { throw MetricPath.malformed(text) }
                steps.append(.select(String(selection)))
                rest = rest[rest.index(after: end)...]
            } else {
                if mayDot {
                    guard first == "." else { throw MetricPath.malformed(text) }
                    rest = rest.dropFirst()
                }
                let key = rest.prefix { $0 != "." && $0 != "[" }
                guard !key.isEmpty, key.allSatisfy({ $0 == "_" || $0.isLetter || $0.isNumber }) else {
                    throw MetricPath.malformed(text)
                }
                steps.append(.key(String(key)))
                rest = rest[key.endIndex...]
            }
            mayDot = true
        }
        self.steps = steps
    }

    private static func malformed(_ text: String) -> UserFacingError {
        .usage(
            "'\(text)' is not the name of a metric",
            remedy: "names are as in run.json: lip_sync.skew_ns.p95, flows[tv].packets.late")
    }
}
