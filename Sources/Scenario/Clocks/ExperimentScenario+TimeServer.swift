import Timebase

extension ExperimentScenario {
    /// A time server beside the program's nodes.
    struct TimeServer: Equatable, Sendable {
        /// As a receiver's, and none of theirs.
        var id: String
        var clock: Clock
        /// How far it says that it is from a source of time (RFC 5905 §7.3), 1...15.
        var stratum: Int
        /// Links of its own to the nodes that ask it; nil: it stands at the sender's end of the shared links.
        var path: Path?

        /// Links of its own, there and back.
        struct Path: Equatable, Sendable {
            /// From the server, in order.
            var forward: [Link]
            /// To the server, in order.
            var reverse: [Link]
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.TimeServer {
    static let record = Record<Self>(
        Self(id: "server", clock: .perfect, stratum: 1, path: nil),
        [
            .key("id", \.id, .identifier, "What results call it; each of several must have one.")
                .usually("server, of one alone").like("ntp1")
        ] + ExperimentScenario.Clock.record.fields.map { $0.at(\.clock) } + [
            .key(
                "stratum", \.stratum, .integer(1...15),
                "How many servers it says that it is from a clock that needs none, that one counted."),
            .key(
                "path", \.path, .optional(Path.record.kind(), nil: "default"),
                "Links of its own; default: it stands at the sender's end of the shared links, and the sender reaches it without delay."
            ).like("{ forward: [ { delay: 30ms } ], reverse: [ { delay: 10ms } ] }"),
        ])

    static let list = record.kind().list(most: (64, "servers")).checked { servers, reader in
        let elements = reader.elements ?? []
        elements.reportDuplicateIDs()
        for element in elements where elements.count > 1 && !element.has("id") {
            element["id"].report(Missing(expected: "a name, such as id: ntp1"))
        }
    }
}

extension ExperimentScenario.TimeServer.Path {
    static let record = Record<Self>(
        Self(forward: [], reverse: []),
        [
            .key(
                "forward", \.forward, ExperimentScenario.Link.record.kind().list(most: (100, "links")),
                "The links from the server to those that ask it, in order."
            ).like("[ { delay: 30ms } ]"),
            .key(
                "reverse", \.reverse, ExperimentScenario.Link.record.kind().list(most: (100, "links")),
                "The links to the server, in order; without the key the delays of forward, last link first, and nothing else."
            ).usually("the delays of forward, last link first, and nothing else").like("[ { delay: 10ms } ]"),
        ],
        rules: [
            Rule { path, reader in
                if !reader.has("reverse") { path.reverse = path.forward.reversed().map(\.mirrored) }
            }
        ])
}
