/// What run.json says under one name: the declaration that its text, checks, comparisons and reference share.
struct CatalogNode: Sendable {
    /// As run.json has it: "one_way_delay_ns".
    let name: String
    /// A few words for headings: "one-way delay, true".
    let label: String
    /// One sentence, with the clause of the standard that it follows.
    let definition: String
    let content: Content
    /// What its value is made of; nil for what is one value by itself.
    var samples: Samples?

    /// How many samples a value has, and how many it needs.
    struct Samples: Sendable {
        /// Where their count is: a path below the list's element, or the name of a member of the same group.
        let path: String
        let isBeside: Bool
        /// With fewer it says nothing.
        let least: Int64

        static func of(_ path: String, least: Int64) -> Samples { Samples(path: path, isBeside: false, least: least) }
        static func beside(_ name: String, least: Int64) -> Samples {
            Samples(path: name, isBeside: true, least: least)
        }
    }

    enum Content: Sendable {
        case value(MetricKind)
        /// The contract's DIST: ten numbers, of which all but the count are of this kind.
        case distribution(MetricKind)
        case group([CatalogNode])
        case list(ListNaming, of: [CatalogNode])
        /// A list of sentences.
        case texts
        /// Counts by names that differ from run to run: those that can occur, or, when there are none, whole numbers.
        case map([CatalogNode], MetricKind)
    }

    /// How the elements of a list are named.
    struct ListNaming: Sendable {
        /// Members that `[x]` is compared with.
        let selectors: [String]
        /// Sets of members, preferred first: the first that tells all elements apart is used in labels.
        let labels: [[String]]
    }

    /// - Parameter label: nil makes it of the name: "queue_delay_ns" is "queue delay".
    init(_ name: String, label: String? = nil, _ definition: String, _ content: Content, samples: Samples? = nil) {
        self.samples = samples
        self.name = name
        self.label = label ?? CatalogNode.label(of: name)
        self.definition = definition
        self.content = content
    }

    /// What is below the name; of a list, what is below each element.
    var children: [CatalogNode] {
        switch content {
        case .value, .texts: []
        case .distribution(let kind): DistributionMember.allCases.map { $0.node(kind) }
        case .group(let members), .list(_, of: let members), .map(let members, _): members
        }
    }

    /// Nil for what is below it only in groups.
    var kind: MetricKind? {
        switch content {
        case .value(let kind): kind
        case .texts: MetricKind(unit: .text)
        case .distribution, .group, .list, .map: nil
        }
    }

    func child(_ name: String) -> CatalogNode? {
        if case .map(let members, let kind) = content, members.isEmpty, let number = Int(name), number > 0 {
            return CatalogNode(name, definition, .value(kind))
        }
        return children.first { $0.name == name }
    }

    /// Without the unit at the end and with spaces.
    private static func label(of name: String) -> String {
        var words = name.split(separator: "_")
        if words.count > 1, let last = words.last, ["ns", "bps", "ppb", "bytes"].contains(last) { words.removeLast() }
        return words.joined(separator: " ")
    }
}
