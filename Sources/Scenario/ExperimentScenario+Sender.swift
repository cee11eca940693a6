import Emulator
import Protection
import Timebase

extension ExperimentScenario {
    /// How the program is sent.
    public struct Sender: Equatable, Sendable {
        /// How it is carried: multiplexed, or each substream by itself.
        public var carriage: Carriage
        var muxRate: MuxRate
        /// 1...7.
        public var transportPacketsPerDatagram: Int
        var pacing: Pacing
        /// From a unit's capture to its earliest sending; nil: the least constant that never sends a unit before it.
        var latency: TimeSpan?
        /// Of the program's datagrams and of reports.
        var classes: Classes
        /// Whether the program's datagrams take congestion marks (RFC 6679).
        var ecn: Bool
        /// What the program asks of every link on its way.
        var reservation: TokenBucket?
        /// Nil: datagrams are sent in their order. With RTP only.
        var interleave: Interleave?

        enum MuxRate: Equatable, Sendable {
            /// The least constant rate that keeps every unit in time.
            case automatic
            case variable
            /// Transport-stream bits per second.
            case constant(BitRate)
        }

        enum Pacing: String, Sendable, CaseIterable {
            /// As the multiplex makes them; of a session of its own, a unit's datagrams evenly over the unit's duration.
            case constant
            /// Of a session of its own, a unit's datagrams at once.
            case perFrame = "per-frame"
        }
    }

    /// Classes of service as they are given, and what they come to.
    struct Classes: Equatable, Sendable {
        struct Entry: Equatable, Sendable {
            /// `program`, `reports`, or the kind or id of a substream.
            var key: String
            var value: ServiceClass
        }

        var entries: [Entry]

        /// All that a multiplex can have.
        init(program: ServiceClass, reports: ServiceClass) {
            entries = [Entry(key: "program", value: program), Entry(key: "reports", value: reports)]
        }

        init(entries: [Entry]) { self.entries = entries }

        /// The class of reports, in both directions.
        var reports: ServiceClass { self["reports"] ?? .bestEffort }
        /// That of a multiplex.
        var program: ServiceClass { entries.first { $0.key != "reports" }?.value ?? .bestEffort }

        /// That of a substream in a session of its own.
        func substream(_ id: String, kind: String) -> ServiceClass {
            self[id] ?? self[kind] ?? self["program"] ?? .bestEffort
        }

        subscript(key: String) -> ServiceClass? { entries.first { $0.key == key }?.value }
    }

    /// A block interleaver over datagrams: written by rows, sent by columns.
    struct Interleave: Equatable, Sendable {
        /// 2...100.
        var rows: Int
        /// 2...100.
        var columns: Int
    }
}

// MARK: - Declaration

extension ExperimentScenario.Sender {
    static let record = Record<Self>(
        Self(
            carriage: .tsRTP, muxRate: .automatic, transportPacketsPerDatagram: 7, pacing: .constant, latency: nil,
            classes: ExperimentScenario.Classes(program: .bestEffort, reports: .bestEffort), ecn: false,
            reservation: nil, interleave: nil),
        [
            .key(
                "carriage", \.carriage, .words(),
                "A transport stream bare in UDP, or in RTP (RFC 2250) with RTCP beside it; or an RTP session for each substream."
            ),
            .key("mux_rate", \.muxRate, MuxRate.kind, MuxRate.meaning).like("5 Mbit/s"),
            .key(
                "ts_packets_per_datagram", \.transportPacketsPerDatagram, .integer(1...7),
                "Transport packets of 188 bytes in a full datagram."),
            .key(
                "pacing", \.pacing, .words().or(.unsupported("token_bucket")),
                "When datagrams leave; constant: as the multiplex makes them, of rtp-separate each unit's evenly over its duration; per-frame: each unit's at once, of rtp-separate."
            ).like("constant"),
            .key(
                "latency", \.latency, .optional(.time(ExperimentScenario.delays), nil: "auto"),
                "From a unit's capture to its earliest sending; auto: the least that never sends one before its capture."
            ).like("700ms"),
            .key(
                "classes", \.classes, classes,
                "The class of service of the program's datagrams, of rtp-separate by kinds or ids of substreams, and of reports."
            ).like("{ program: AF41, reports: EF }"),
            .key(
                "ecn", \.ecn, .truth, "Whether the program's datagrams take congestion marks in place of being dropped."
            ).like("true"),
            .key(
                "reservation", \.reservation, .optional(ExperimentScenario.TokenBucket.record.kind()),
                "What the program asks every link of its way to hold for it, before the run."
            ).like("{ rate: 5 Mbit/s, burst: 30 kB }"),
            .key(
                "interleave", \.interleave, .optional(ExperimentScenario.Interleave.record.kind()),
                "A block interleaver over datagrams, written by rows and sent by columns; needs RTP."
            ).like("{ rows: 5, columns: 10 }"),
            .off("fec", "retransmission"),
        ],
        rules: [
            Rule("carriage") { checkInterleave($0, $1) }, Rule("carriage", "classes") { settleClasses(&$0, $1) },
            Rule("carriage") { checkMultiplex($0, $1) },
        ])

    /// A multiplex has one class, sessions of their own each one by kind or id.
    private static func settleClasses(_ sender: inout Self, _ reader: ScenarioReader) {
        guard sender.carriage != .rtpSeparate else { return }
        let entries = sender.classes.entries.filter { $0.key != "reports" }
        for entry in entries.dropFirst() where entry.value != entries[0].value {
            reader["classes"][entry.key].report(
                "'\(entries[0].key)' has the class \(entries[0].value.name), and one multiplex has one class",
                hint: "give all of them the same, or write carriage: rtp-separate")
        }
        sender.classes = .init(program: sender.classes.program, reports: sender.classes.reports)
    }

    /// What is of a multiplex alone, and what only sessions of their own have.
    private static func checkMultiplex(_ sender: Self, _ reader: ScenarioReader) {
        guard sender.carriage == .rtpSeparate else {
            if sender.pacing == .perFrame {
                reader["pacing"].report(
                    "the datagrams of a multiplex leave as it makes them", expected: "constant",
                    hint: "carriage: rtp-separate sends each unit's datagrams at once")
            }
            return
        }
        let initial = record.initial
        let given = [
            ("mux_rate", sender.muxRate != initial.muxRate),
            ("ts_packets_per_datagram", sender.transportPacketsPerDatagram != initial.transportPacketsPerDatagram),
            ("reservation", sender.reservation != nil), ("interleave", sender.interleave != nil),
        ]
        for (key, isGiven) in given where isGiven {
            reader[key].report(
                "this is of a multiplex, and rtp-separate has none", hint: "leave it out, or write carriage: ts-rtp")
        }
    }

    private static func checkInterleave(_ sender: Self, _ reader: ScenarioReader) {
        guard case .map? = reader["interleave"].node?.content, !sender.carriage.hasRTP else { return }
        reader["interleave"].report(
            "without RTP the receiver cannot restore the order of the datagrams", expected: "carriage: ts-rtp",
            hint: "write carriage: ts-rtp, or leave interleave out")
    }

    /// One name for the program, or a map of `program`, `reports`, and kinds or ids of substreams.
    private static let classes = Kind<ServiceClass>.serviceClass.keyed(like: "program").mapped { entries, _ in
        ExperimentScenario.Classes(entries: entries.map { .init(key: $0.key, value: $0.value) })
    } extract: { classes in
        classes.entries.map { ($0.key, $0.value) }
    }.or(
        Kind<ServiceClass>.serviceClass.mapped(
            embed: { ExperimentScenario.Classes(program: $0, reports: .bestEffort) }, extract: { $0.program }))
}

extension ExperimentScenario.Sender.MuxRate {
    static let meaning =
        "The multiplex's rate; auto: the least constant one that keeps every unit in time, vbr: the same less null packets."

    static let kind = Kind.word("auto", Self.automatic).or(.word("vbr", .variable)).or(
        Kind<BitRate>.bitRate(ExperimentScenario.rates).mapped(embed: Self.constant) {
            if case .constant(let rate) = $0 { rate } else { nil }
        })
}

extension ExperimentScenario.Interleave {
    private static let size = Kind<Int>.integer(
        InterleavingBlock.sizes, hint: "with one row or column nothing is interleaved: interleave: none")

    static let record = Record<Self>(
        Self(rows: 2, columns: 2),
        [
            .key("rows", \.rows, size, "Rows of the block: a run of so many lost datagrams comes out as single losses.")
                .required("a whole number of datagrams, such as rows: 5", like: "5"),
            .key("columns", \.columns, size, "Datagrams in a row: so far apart these losses come out.")
                .required("a whole number of datagrams, such as columns: 5", like: "10"),
        ])
}
