/// The name of a number in run.json: "lip_sync.skew_ns.p95", "flows[tv].packets.late", "links[0].drops.loss".
///
/// A path through a list stands for every element; `[x]` picks those whose id, receiver, node or point is x, or, when
/// none is, the one at index x. Two selections narrow further: "substreams[video][tv]".
public struct MetricPath: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case key(String)
        case select(String)
    }

    /// As the user wrote it.
    public let text: String
    let steps: [Step]

    /// - Throws: ``UserFacingError`` (usage) when it is not a path at all; names are not looked at.
    public init(parsing source: some StringProtocol) throws(UserFacingError) {
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

/// What the schema says about a metric.
public struct MetricKind: Sendable, Equatable {
    public var unit: MetricUnit
    public var worse: Worse
}

extension MetricPath {
    /// Looks the path up among the names of run.json.
    ///
    /// - Throws: ``UserFacingError`` (usage) with the nearest names.
    public func kind() throws(UserFacingError) -> MetricKind {
        let node = try schemaNode()
        guard case .leaf(let unit, let worse) = node else {
            let names = MetricPath.childNames(node)
            throw .usage(
                "'\(text)' is a group, not a number",
                remedy: names.first.map {
                    "name one of its members, as '\(text).\($0)': \(names.joined(separator: ", "))"
                })
        }
        return MetricKind(unit: unit, worse: worse)
    }

    /// The schema's node at the end of the path; lists count as their elements.
    func schemaNode() throws(UserFacingError) -> SchemaNode {
        var node = RunSchema.root
        var walked = ""
        for step in steps {
            switch step {
            case .select(let selection):
                guard case .list = node else {
                    throw .usage(
                        "'\(text)': '\(walked)' is not a list, so '[\(selection)]' selects nothing",
                        remedy: "lists are flows, substreams, lip_sync, playout, clocks, links and transport_stream")
                }
                walked += "[\(selection)]"
            case .key(let key):
                if case .list(let element) = node {
                    if Int(key) != nil {
                        walked += ".\(key)"
                        continue
                    }
                    node = element
                }
                node = try child(of: node, key: key, walked: walked)
                walked += (walked.isEmpty ? "" : ".") + key
            }
        }
        if case .list(let element) = node { return element }
        return node
    }

    private func child(of node: SchemaNode, key: String, walked: String) throws(UserFacingError) -> SchemaNode {
        switch node {
        case .group(let members):
            if let member = members.first(where: { $0.name == key }) { return member.node }
        case .map(let known, let value):
            if known.contains(key) || (known.isEmpty && Int(key).map { $0 > 0 } == true) { return value }
        case .leaf, .list: break
        }
        let siblings = MetricPath.childNames(node)
        let prefix = walked.isEmpty ? "" : walked + "."
        var names = Suggestions.nearest(to: key, among: siblings).map {
            prefix + $0 + MetricPath.rest(of: text, after: key)
        }
        if names.isEmpty { names = RunSchema.paths.filter { $0.hasSuffix("." + text) } }
        if names.isEmpty { names = Suggestions.nearest(to: text, among: RunSchema.paths) }
        let siblingList = siblings.joined(separator: ", ")
        throw .usage(
            "unknown metric '\(text)'"
                + (walked.isEmpty
                    ? "" : siblings.isEmpty ? ": nothing is below '\(walked)'" : ": '\(walked)' has no '\(key)'"),
            remedy: Suggestions.question(Array(names.prefix(3)))
                ?? (siblings.isEmpty ? nil : "known names here: \(siblingList)"))
    }

    /// What follows the first occurrence of `key` in `text`, so that a suggestion is a whole path.
    private static func rest(of text: String, after key: String) -> Substring {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix(key) { return text[text.index(index, offsetBy: key.count)...] }
            index = text.index(after: index)
        }
        return ""
    }

    static func childNames(_ node: SchemaNode) -> [String] {
        switch node {
        case .leaf: []
        case .group(let members): members.map(\.name)
        case .list(let element): childNames(element)
        case .map(let known, _): known
        }
    }
}

extension RunSchema {
    /// Every number's path, in the order of run.json.
    static let paths: [String] = paths(of: root, under: "")

    private static func paths(of node: SchemaNode, under prefix: String) -> [String] {
        switch node {
        case .leaf(let unit, _): unit.isNumber ? [prefix] : []
        case .list(let element): paths(of: element, under: prefix)
        case .group(let members):
            members.flatMap { paths(of: $0.node, under: prefix.isEmpty ? $0.name : prefix + "." + $0.name) }
        case .map(let known, let value): known.flatMap { paths(of: value, under: prefix + "." + $0) }
        }
    }
}
