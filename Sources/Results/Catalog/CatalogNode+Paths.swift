extension CatalogNode {
    /// Of a list, one of its elements.
    var element: CatalogNode {
        guard case .list(_, let members) = content else { return self }
        return CatalogNode(name, label: label, definition, .group(members))
    }

    /// It and all that is below it with their paths, in the order of run.json.
    func walk(_ path: String, _ visit: (_ path: String, _ node: CatalogNode) -> Void) {
        visit(path, self)
        for child in children { child.walk(path.isEmpty ? child.name : path + "." + child.name, visit) }
    }
}

extension Catalog {
    /// Every number's path, in the order of run.json, and the names of the shares.
    static let paths: [String] = {
        var paths: [String] = []
        root.walk("") { path, node in
            if node.kind?.unit.isNumber == true { paths.append(path) }
        }
        return paths + shares.map(\.name)
    }()

    /// The paths of the lists whose elements have names, in the order of run.json.
    static let listPaths: [String] = {
        var paths: [String] = []
        root.walk("") { path, node in
            if case .list = node.content { paths.append(path) }
        }
        return paths
    }()
}
