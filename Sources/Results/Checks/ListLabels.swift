/// By which members the elements of each list are told apart in labels.
///
/// Made from all the runs that are shown together, so that the same thing has the same label in each.
struct ListLabels: Sendable {
    private var keys: [String: [String]] = [:]

    init(of documents: [JSONValue]) {
        for path in Catalog.listPaths {
            let names = path.split(separator: ".").map(String.init)
            guard let node = names.reduce(Catalog.root, { $0?.child($1) }), case .list(let naming, _) = node.content
            else { continue }
            let lists = documents.compactMap { names.reduce($0, { $0?[$1] })?.elements }
            keys[path] = naming.labels.first { keys in lists.allSatisfy { ListLabels.areDistinct($0, by: keys) } }
        }
    }

    /// Of several members all but the first may be null.
    private static func areDistinct(_ list: [JSONValue], by keys: [String]) -> Bool {
        var seen: Set<[String]> = []
        for element in list {
            let values = keys.map { element[$0]?.string ?? "" }
            guard values.first?.isEmpty == false, !values.contains(where: { $0.contains("]") }),
                seen.insert(values).inserted
            else { return false }
        }
        return true
    }

    /// - Parameter list: the list's path, "flows".
    func label(of element: JSONValue, at index: Int, in list: String) -> String {
        guard let keys = keys[list] else { return "[\(index)]" }
        return keys.compactMap { element[$0]?.string.map { "[\($0)]" } }.joined()
    }
}
