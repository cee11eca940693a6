import Metrics

/// A name of run.json together with where its value comes from: a metric is declared once, by one of these.
struct CatalogMember<Source>: Sendable {
    let node: CatalogNode
    private let make: @Sendable (Source) -> JSONValue
    /// Of a list: hands out the documents of its elements one by one.
    private var visit: (@Sendable (Source, (JSONValue) -> Void) -> Void)?

    private init(node: CatalogNode, make: @escaping @Sendable (Source) -> JSONValue) {
        self.node = node
        self.make = make
    }

    /// The name's value in the document; null for what was not measured.
    func value(of source: Source) -> JSONValue { make(source) }

    /// The same name where its source is a part of something else.
    func lifted<Whole>(_ part: @escaping @Sendable (Whole) -> Source) -> CatalogMember<Whole> {
        CatalogMember<Whole>(node: node) { [make] in make(part($0)) }
    }
}

extension Array {
    /// The object that the members make of a source, in their order.
    func document<Source>(of source: Source) -> JSONValue where Element == CatalogMember<Source> {
        .object(JSONObject(map { JSONObject.Member($0.node.name, $0.value(of: source)) }))
    }
}

// MARK: - Writing

extension Array {
    /// Writes the text of ``document(of:)`` without ever having more of it than an element of one of its lists: of a
    /// thousand receivers it has 30 MB.
    func write<Source>(_ source: Source, to file: OutputFile) where Element == CatalogMember<Source> {
        var separator = "{\n  "
        for member in self {
            file.write(separator)
            file.write(JSONValue.string(member.node.name).text(atDepth: 1))
            file.write(": ")
            member.writeValue(of: source, to: file)
            separator = ",\n  "
        }
        file.write(isEmpty ? "{}\n" : "\n}\n")
    }
}

extension CatalogMember {
    fileprivate func writeValue(of source: Source, to file: OutputFile) {
        guard let visit else { return file.write(value(of: source).text(atDepth: 1)) }
        var isEmpty = true
        visit(source) { element in
            file.write(isEmpty ? "[\n    " : ",\n    ")
            file.write(element.text(atDepth: 2))
            isEmpty = false
        }
        file.write(isEmpty ? "[]" : "\n  ]")
    }
}

// MARK: - Combinators

extension CatalogMember {
    private init(
        _ name: String, _ label: String?, _ definition: String, _ content: CatalogNode.Content,
        _ value: @escaping @Sendable (Source) -> JSONValue
    ) {
        self.init(node: CatalogNode(name, label: label, definition, content), make: value)
    }

    /// The same name, of which is said how many samples its value has and needs.
    func needing(_ samples: CatalogNode.Samples) -> Self {
        var node = node
        node.samples = samples
        return Self(node: node, make: make)
    }

    /// A value of any kind.
    static func value(
        _ name: String, _ kind: MetricKind, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> JSONValue
    ) -> Self {
        Self(name, label, definition, .value(kind), value)
    }

    static func text(
        _ name: String, label: String? = nil, _ definition: String, _ value: @escaping @Sendable (Source) -> String?
    ) -> Self {
        Self(name, label, definition, .value(MetricKind(unit: .text))) { JSONValue(value($0)) }
    }

    static func truth(
        _ name: String, label: String? = nil, _ definition: String, _ value: @escaping @Sendable (Source) -> Bool?
    ) -> Self {
        Self(name, label, definition, .value(MetricKind(unit: .truth))) { JSONValue(value($0)) }
    }

    static func whole(
        _ name: String, _ unit: MetricUnit, worse: Worse = .unknown, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> Int64?
    ) -> Self {
        Self(name, label, definition, .value(MetricKind(unit: unit, worse: worse))) { JSONValue(value($0)) }
    }

    static func count(
        _ name: String, worse: Worse = .unknown, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> Int64?
    ) -> Self {
        whole(name, .count, worse: worse, label: label, definition, value)
    }

    static func nanoseconds(
        _ name: String, worse: Worse = .unknown, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> Int64?
    ) -> Self {
        whole(name, .nanoseconds, worse: worse, label: label, definition, value)
    }

    /// A share, 0...1.
    static func ratio(
        _ name: String, worse: Worse = .unknown, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> Double?
    ) -> Self {
        Self(name, label, definition, .value(MetricKind(unit: .ratio, worse: worse))) { JSONValue(value($0)) }
    }

    /// A distribution of nanoseconds; null without values.
    static func distribution(
        _ name: String, worse: Worse = .unknown, label: String? = nil, _ definition: String,
        _ value: @escaping @Sendable (Source) -> Distribution?
    ) -> Self {
        let kind = MetricKind(unit: .nanoseconds, worse: worse)
        return Self(node: CatalogNode(name, label: label, definition, .distribution(kind))) {
            DistributionMember.document(value($0))
        }
    }

    static func group(_ name: String, label: String? = nil, _ definition: String, _ members: [CatalogMember]) -> Self {
        Self(node: CatalogNode(name, label: label, definition, .group(members.map(\.node)))) {
            members.document(of: $0)
        }
    }

    /// Counts by names that differ from run to run.
    ///
    /// - Parameter known: the names that can occur; empty for whole numbers.
    static func map(
        _ name: String, worse: Worse = .unknown, _ definition: String, known: [CatalogNode] = [],
        _ value: @escaping @Sendable (Source) -> [(name: String, count: Int64?)]
    ) -> Self {
        Self(name, nil, definition, .map(known, MetricKind(unit: .count, worse: worse))) {
            .object(JSONObject(value($0).map { JSONObject.Member($0.name, JSONValue($0.count)) }))
        }
    }

    static func texts(
        _ name: String, label: String? = nil, _ definition: String, _ value: @escaping @Sendable (Source) -> [String]
    ) -> Self {
        Self(name, label, definition, .texts) { .array(value($0).map { .string($0) }) }
    }

    static func list<Element>(
        _ list: CatalogList<Element>, _ elements: @escaping @Sendable (Source) -> [Element]
    ) -> Self {
        var member = Self(node: list.node) { .array(elements($0).map { list.members.document(of: $0) }) }
        member.visit = { source, take in
            for element in elements(source) { take(list.members.document(of: element)) }
        }
        return member
    }
}
