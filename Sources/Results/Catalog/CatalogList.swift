/// A list of run.json: what its elements are, how they are named and what each holds.
struct CatalogList<Element>: Sendable {
    let node: CatalogNode
    let members: [CatalogMember<Element>]

    /// - Parameters:
    ///   - selectors: members that `[x]` is compared with.
    ///   - labels: sets of members, preferred first, the first of which that tells all elements apart names them.
    init(
        _ name: String, _ definition: String, selectors: [String], labels: [[String]],
        _ members: [CatalogMember<Element>]
    ) {
        self.members = members
        let naming = CatalogNode.ListNaming(selectors: selectors, labels: labels)
        node = CatalogNode(name, definition, .list(naming, of: members.map(\.node)))
    }
}
