import Scenario

extension MetricPath {
    /// Looks the path up in the catalog.
    ///
    /// - Throws: ``UserFacingError`` (usage) with the nearest names.
    func kind() throws(UserFacingError) -> MetricKind {
        let node = try node()
        if case .texts = node.content {
            throw .usage("'\(text)' is a list of sentences, which nothing can be compared with")
        }
        if let kind = node.kind { return kind }
        let names = node.children.map(\.name)
        throw .usage(
            "'\(text)' is a group, not a number",
            remedy: names.first.map {
                "name one of its members, as '\(text).\($0)': \(names.joined(separator: ", "))"
            })
    }

    /// The name at the end of the path; a list stands for its elements.
    ///
    /// - Throws: ``UserFacingError`` (usage) with the nearest names.
    func node() throws(UserFacingError) -> CatalogNode {
        var node = Catalog.root
        var walked = ""
        for step in steps {
            if let selection = step.selection, case .list = node.content {
                walked += "[\(selection)]"
                continue
            }
            switch step {
            case .select(let selection):
                throw .usage(
                    "'\(text)': '\(walked)' is not a list with names, so '[\(selection)]' selects nothing",
                    remedy: "such lists are " + Catalog.listPaths.joined(separator: ", "))
            case .key(let key):
                guard let child = node.child(key) else { throw unknown(key, below: node, walked) }
                node = child
                walked += (walked.isEmpty ? "" : ".") + key
            }
        }
        return node
    }

    private func unknown(_ key: String, below node: CatalogNode, _ walked: String) -> UserFacingError {
        let siblings = node.children.map(\.name) + (walked.isEmpty ? Catalog.shares.map(\.name) : [])
        let prefix = walked.isEmpty ? "" : walked + "."
        var names = Suggestions.nearest(to: key, among: siblings).map {
            prefix + $0 + MetricPath.rest(of: text, after: key)
        }
        if names.isEmpty { names = Catalog.paths.filter { $0.hasSuffix("." + text) } }
        if names.isEmpty { names = Suggestions.nearest(to: text, among: Catalog.paths) }
        let place =
            walked.isEmpty ? "" : siblings.isEmpty ? "nothing is below '\(walked)'" : "'\(walked)' has no '\(key)'"
        let known = siblings.isEmpty ? nil : "known names here: " + siblings.joined(separator: ", ")
        return .usage(
            "unknown metric '\(text)'" + (place.isEmpty ? "" : ": " + place),
            remedy: Suggestions.question(Array(names.prefix(3))) ?? known)
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
}
