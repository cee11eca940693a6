import Scenario

/// The catalog, or what a name stands for in it, for people and programs.
public struct CatalogReference: Sendable {
    /// One name with those above it, the list or group first.
    struct Entry: Sendable {
        let path: String
        let node: CatalogNode
        let parent: CatalogNode?
        /// The path of the list that it is a member of.
        let list: String?
    }

    let entries: [Entry]
    let shares: [Share]

    /// - Parameter name: a path, the end of one ("late", "pdv_ns"), or a share; nil for all.
    /// - Throws: ``UserFacingError`` (usage) with the nearest names.
    public init(of name: String? = nil) throws(UserFacingError) {
        let all = CatalogReference.entries(below: Catalog.root, "", list: nil)
        guard let name else {
            entries = all
            shares = Catalog.shares
            return
        }
        shares = Catalog.shares.filter { $0.name == name }
        guard shares.isEmpty else {
            entries = []
            return
        }
        // Selections say nothing here: what is said of one element is said of all.
        let bare = CatalogReference.withoutSelections(name)
        var chosen = all.filter { $0.path == bare || $0.path.hasPrefix(bare + ".") }
        if chosen.isEmpty { chosen = all.filter { ("." + $0.path).hasSuffix("." + bare) } }
        // A number of a DIST is named by its own path; run lengths are names too.
        if chosen.isEmpty, let path = try? MetricPath(parsing: bare), let node = try? path.node(), node.kind != nil {
            let end = bare.lastIndex(of: ".") ?? bare.endIndex
            chosen = all.filter { $0.path == bare[..<end] }
                .map { Entry(path: bare, node: node, parent: $0.node, list: $0.list) }
        }
        guard !chosen.isEmpty else { throw CatalogReference.unknown(name, all) }
        entries = chosen
    }

    private static func entries(below node: CatalogNode, _ path: String, list: String?) -> [Entry] {
        // The ten numbers of a distribution are told once, behind all.
        if case .distribution = node.content { return [] }
        var isList = false
        if case .list = node.content { isList = true }
        return node.children.flatMap { child -> [Entry] in
            let childPath = path.isEmpty ? child.name : path + "." + child.name
            let childList = isList ? path : list
            let parent = path.isEmpty || isList ? nil : node
            return [Entry(path: childPath, node: child, parent: parent, list: childList)]
                + entries(below: child, childPath, list: childList)
        }
    }

    private static func withoutSelections(_ name: String) -> String {
        var isInside = false
        return String(
            name.filter { character in
                if character == "[" { isInside = true }
                defer { if character == "]" { isInside = false } }
                return !isInside
            })
    }

    private static func unknown(_ name: String, _ all: [Entry]) -> UserFacingError {
        let paths = all.map(\.path) + Catalog.shares.map(\.name)
        var near = Suggestions.nearest(to: name, among: paths)
        // The end of a path is a name too: "lat" is near "flows.packets.late".
        let ends = Set(
            Suggestions.nearest(to: name, among: paths.compactMap { $0.split(separator: ".").last.map(String.init) }))
        if near.isEmpty { near = paths.filter { path in ends.contains { ("." + path).hasSuffix("." + $0) } } }
        return .usage(
            "run.json has no '\(name)'",
            remedy: Suggestions.question(Array(near.prefix(3))) ?? "rubato metrics lists all that it has")
    }
}

// MARK: - For programs

extension CatalogReference {
    /// Schema `rubato.metrics/1`: every value with its unit, its worse direction and its definition.
    public var document: JSONValue {
        [
            "schema": "rubato.metrics/1",
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "document": .string(Catalog.schema),
            "lists": .array(entries.compactMap(listDocument)),
            "metrics": .array(entries.flatMap(documents) + shares.map(document)),
        ]
    }

    private func listDocument(_ entry: Entry) -> JSONValue? {
        guard case .list(let naming, _) = entry.node.content else { return nil }
        return [
            "name": .string(entry.path), "definition": .string(entry.node.definition),
            "selected_by": .array(naming.selectors.map { .string($0) }),
        ]
    }

    /// None for groups and lists, ten for a distribution.
    private func documents(_ entry: Entry) -> [JSONValue] {
        if let kind = entry.node.kind {
            return [document(entry.path, entry.node, kind, of: entry.parent, list: entry.list)]
        }
        switch entry.node.content {
        case .distribution:
            return entry.node.children.compactMap { child in
                child.kind.map {
                    document(entry.path + "." + child.name, child, $0, of: entry.node, list: entry.list)
                }
            }
        case .map(let known, let kind) where known.isEmpty:
            return [document(entry.path + ".N", entry.node, kind, of: entry.parent, list: entry.list)]
        case .value, .group, .list, .map, .texts: return []
        }
    }

    private func document(
        _ path: String, _ node: CatalogNode, _ kind: MetricKind, of parent: CatalogNode?, list: String?
    ) -> JSONValue {
        [
            "name": .string(path), "list": JSONValue(list), "type": .string(kind.unit.type),
            "unit": JSONValue(kind.unit.name), "worse": kind.worse == .unknown ? nil : .string(kind.worse.rawValue),
            "label": .string(node.label), "definition": .string(node.definition), "of": JSONValue(parent?.definition),
        ]
    }

    private func document(_ share: Share) -> JSONValue {
        [
            "name": .string(share.name), "list": .string(share.list), "type": .string(share.kind.unit.type),
            "unit": JSONValue(share.kind.unit.name), "worse": .string(share.kind.worse.rawValue),
            "label": .string(share.name), "definition": .string(share.definition), "of": .string(share.formula),
        ]
    }
}

extension MetricUnit {
    fileprivate var type: String {
        switch self {
        case .text: "text"
        case .truth: "truth"
        default: "number"
        }
    }
}
