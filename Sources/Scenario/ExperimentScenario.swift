import Timebase

/// One experiment, complete: every default filled in, every number checked, nothing left to decide.
///
/// A plain value. Each part declares its keys beside its type: `record`, `choice` or `kind` says how a scenario names,
/// bounds and explains them, and reading, writing, `--set` and the reference follow from it.
public struct ExperimentScenario: Equatable, Sendable {
    /// Letters, digits, `.`, `_` and `-`; at most 100.
    public var name: String
    /// How long the sources send; nil: as long as the program's file lasts.
    public var duration: TimeSpan?
    /// The root of every random draw.
    public var seed: UInt64
    /// What is sent.
    public var program: Program
    /// How it is sent.
    public var sender: Sender
    /// The shared links from the sender to the receivers, in order; at least one.
    var forward: [Link]
    /// The shared links from the receivers to the sender, in order; at least one.
    var reverse: [Link]
    /// Substreams whose sessions have links of their own in place of the shared ones.
    var flowLinks: [FlowLinks]
    var senderClock: Clock
    /// The clock of every receiver that has none of its own.
    var receiverClock: Clock
    /// Beside the program's nodes; none: the sender is the time server, where one is asked for.
    var timeServers: [TimeServer]
    /// By which algorithm the nodes' clocks are synchronized.
    public var synchronization: Synchronization
    /// As written, at least one; ``expandedReceivers`` has one element for each that runs.
    public var receivers: [Receiver]
    /// Whether receivers play together by what they report.
    var idms: Bool
    /// What viewers tell all receivers to do; nil: nothing.
    var commands: Commands?
    /// Nil: none.
    var agreement: Agreement?
    /// What is wrong with nodes for a while.
    var faults: [Fault]
    /// What the run must keep.
    public var qos: QoSContract
    /// Where packets are written down.
    public var capture: CapturePoints
    /// Which files the run writes besides run.json.
    public var outputs: Outputs

    /// Every receiver that runs: one with `count` N as N of them, `id.1` ... `id.N`, each with count 1.
    var expandedReceivers: [Receiver] {
        receivers.flatMap { receiver in
            guard receiver.count > 1 else { return [receiver] }
            return (1...receiver.count).map { number in
                var one = receiver
                one.id = "\(receiver.id).\(number)"
                one.count = 1
                return one
            }
        }
    }
}

// MARK: - Limits

extension ExperimentScenario {
    // They keep every sum of times and every product with a rate within 63 bits.
    static let durations = TimeSpan.nanoseconds(1)...TimeSpan.seconds(1000 * 3600)
    static let delays = TimeSpan.zero...TimeSpan.seconds(3600)
    static let rates = BitRate(bitsPerSecond: 1_000)...BitRate(bitsPerSecond: 1_000_000_000_000)
}

// MARK: - Declaration

extension ExperimentScenario {
    static let record = Record<ExperimentScenario>(
        ExperimentScenario(
            name: "", duration: nil, seed: 1, program: .file(ProgramFile(path: "", loops: false, sha256: nil)),
            sender: Sender.record.initial, forward: [.ideal], reverse: [.ideal], flowLinks: [], senderClock: .perfect,
            receiverClock: .perfect, timeServers: [], synchronization: .none, receivers: [Receiver.record.initial],
            idms: false, commands: nil, agreement: nil, faults: [], qos: QoSContract(), capture: .none,
            outputs: Outputs.record.initial),
        [
            .key("name", \.name, .scenarioName, "What the run is called.")
                .usually("the file's name without its ending").like("evening-dsl"),
            .key(
                "duration", \.duration, .optional(.time(durations), nil: "auto"),
                "How long the sources send; auto: as long as the program's file lasts, 60s where it has no end."
            ).like("60s"),
            .key("seed", \.seed, .seed, "The root of every random draw; the same seed gives the same run."),
            .key("program", \.program, Program.choice.kind(isBlock: true), "What is sent: a file, or substreams.")
                .required(Program.missing, like: "{ file: movie.ts }"),
            .key("sender", \.sender, Sender.record.kind(isBlock: true), "How the program is multiplexed and sent."),
            network,
            .section(
                "clocks",
                [
                    .key("sender", \.senderClock, Clock.record.kind(), "The sender's clock.")
                        .like("{ offset: 1ms, frequency: -5 ppm }"),
                    .key(
                        "receivers", \.receiverClock, Clock.record.kind(),
                        "The clock of every receiver that has none of its own."
                    ).like("{ offset: 35ms, frequency: 40 ppm }"),
                    .key(
                        "servers", \.timeServers, TimeServer.list,
                        "Time servers, which the sender and all receivers ask; none: receivers ask the sender."
                    ).like("[ { id: ntp1 } ]"),
                    .key(
                        "synchronization", \.synchronization, Synchronization.kind,
                        "How clocks are set after one another; none: each runs freely."
                    ).like("{ cristian: { probes: 8 } }"),
                ], "How the nodes' clocks run, and how they are synchronized."),
            .key(
                "receivers", \.receivers, Receiver.list,
                "Who receives the program; several are reached through one multicast group."
            ).usually("one, called receiver").like("[ { id: tv, playout: { fixed: 150ms } } ]"),
            .key(
                "idms", \.idms, .truth,
                "Whether receivers play together: each reports over RTCP when it presents, and all wait for the one that is last (RFC 7272, inter-destination media synchronization), by their synchronized clocks."
            ).like("true").needs("receivers", "[ { id: tv, count: 2 } ]"),
            .key(
                "commands", \.commands, .optional(Commands.record.kind()),
                "What viewers tell all receivers to do with what they present."
            ).like("{ order: total, at: [ { at: 20s, node: sender, do: pause } ] }"),
            .key(
                "agreement", \.agreement, .optional(Agreement.record.kind()),
                "The sender and all receivers agree on a value by oral messages, although some of them lie."
            ).like("{ value: 7, traitors: 1 }"),
            .key(
                "faults", \.faults, Fault.list,
                "What goes wrong with nodes: with all that they tell each other, and crash, omission and timing also with the program at the sender and the receivers."
            ).like("[ { at: 20s, for: 5s, node: sender, kind: crash } ]"),
            .key(
                "qos", \.qos, QoSContract.record.kind(isBlock: true),
                "The contract, checked after the run: each term is a limit that must hold."),
            .key("capture", \.capture, CapturePoints.kind, "Where packets are written down, as pcap files.").like(
                "all"),
            .key("outputs", \.outputs, Outputs.record.kind(isBlock: true), "What else the run directory holds."),
        ],
        rules: [
            Rule("duration", "program") { settleDuration(&$0, $1) }, Rule { settleDefaults(&$0, $1) },
            Rule("clocks", "receivers", "sender", "faults") { checkNodes($0, $1) },
            Rule("clocks", "receivers") { checkClocks($0, $1) },
            Rule("clocks", "receivers", "commands", "agreement") { checkGroup($0, $1) },
            Rule("clocks", "receivers") { checkSynchronization($0, $1) },
            Rule("duration", "receivers", "commands") { checkCommands($0, $1) },
            Rule("duration", "receivers", "agreement") { checkAgreement($0, $1) },
            Rule("idms", "sender", "receivers") { checkDestinations($0, $1) },
            Rule("program", "sender", "network", "receivers", "commands", "outputs", "qos") { settleSessions(&$0, $1) },
            Rule("commands", "outputs", "receivers") { settleMedia(&$0, $1) },
        ])

    private static let network = Field<ExperimentScenario>.section(
        "network",
        [
            .key(
                "forward", \.forward,
                Link.record.kind(isBlock: true).list(
                    most: (100, "links"), empty: Missing(statement: "there is no link", expected: someLink),
                    isBlock: true), "The links from the sender to the receivers, in order."
            ).usually("[ {} ], one link that does nothing").like("[ { rate: 6 Mbit/s, delay: 20ms } ]"),
            .key(
                "reverse", \.reverse,
                Link.record.kind(isBlock: true).list(
                    most: (100, "links"), empty: Missing(statement: "there is no link", expected: someLink),
                    isBlock: true), "The links from the receivers to the sender, in order."
            ).usually("the delays of forward, last link first, and nothing else").like("[ { delay: 20ms } ]"),
            FlowLinks.field,
        ], "The links that all receivers share.")

    private static let someLink = "at least one, such as [{}]"

    /// The default is the file's length, which only who opens it knows: nil. A program without end has none.
    private static func settleDuration(_ scenario: inout ExperimentScenario, _ reader: ScenarioReader) {
        if case .file(let file) = scenario.program, !file.loops { return }
        scenario.duration = scenario.duration ?? .seconds(60)
    }

    /// What other parts give as a default.
    private static func settleDefaults(_ scenario: inout ExperimentScenario, _ reader: ScenarioReader) {
        if !reader["network"].has("reverse") {
            scenario.reverse = scenario.forward.reversed().map(\.mirrored)
        }
        let receivers = reader["receivers"].elements ?? []
        for index in scenario.receivers.indices where !(index < receivers.count && receivers[index].has("clock")) {
            scenario.receivers[index].clock = scenario.receiverClock
        }
    }

    /// The scenario with every default written out, keys in the contract's order: read back, it is an equal value.
    ///
    /// Files stand with their absolute paths, so that the record of a run can be run again from anywhere.
    public var resolvedYAML: String { ScenarioText.map(Self.record.write(self), isBlock: true).document }
}

// MARK: - Captures and outputs

extension ExperimentScenario {
    /// Where packets are written down.
    public struct CapturePoints: Equatable, Sendable {
        /// Datagrams at the sender.
        public var sender: Bool
        /// Datagrams at every receiver.
        public var receiver: Bool
        /// Both ends of every link.
        public var links: Bool

        /// Nothing is captured.
        public static let none = CapturePoints(sender: false, receiver: false, links: false)
        static let all = CapturePoints(sender: true, receiver: true, links: true)
    }

    /// The files that a run writes on request.
    public struct Outputs: Equatable, Sendable {
        /// sent.ts.
        public var sentMedia: Bool
        /// received.ts.
        public var receivedMedia: Bool
        /// presented.ts.
        public var presentedMedia: Bool
        var writesMedia: Bool { sentMedia || receivedMedia || presentedMedia }
        /// The interval of series.csv; nil: no series.
        public var series: TimeSpan?
        /// packets.csv.
        public var packets: Bool
        /// units.csv.
        public var units = false
    }
}

extension ExperimentScenario {
    /// Receivers of which each has media files of its own unasked.
    private static let mostWithMedia = 16

    /// What has been presented is not kept for those who go back to it; and files of each of many receivers are asked for.
    private static func settleMedia(_ scenario: inout ExperimentScenario, _ reader: ScenarioReader) {
        let isAsked = reader["outputs"].has("media")
        if !isAsked, scenario.expandedReceivers.count > mostWithMedia {
            (scenario.outputs.receivedMedia, scenario.outputs.presentedMedia) = (false, false)
        }
        guard scenario.outputs.presentedMedia, scenario.commands?.goBack == true else { return }
        if isAsked {
            reader["outputs"]["media"].report(
                "with a seek among the commands, what is presented is not written", expected: "sent, received",
                hint: "leave presented out")
        }
        scenario.outputs.presentedMedia = false
    }
}

extension ExperimentScenario.CapturePoints {
    private enum Point: String, CaseIterable { case sender, receiver }

    private static let points = Kind.word("none", Self.none).or(.word("all", .all)).or(
        Kind<Point>.words().list().mapped { points in
            Self(sender: points.contains(.sender), receiver: points.contains(.receiver), links: false)
        } extract: { captured in
            Point.allCases.filter { $0 == .sender ? captured.sender : captured.receiver }
        })

    /// `{ points: all }`, or the word alone.
    static let kind = Record<Self>(
        .none,
        [
            .key("points", \.self, points, "Both ends of every link (all), or those of the nodes in the list.")
                .like("[sender, receiver]")
        ]
    ).kind().or(.word("none", .none)).or(.word("all", .all))
}

extension ExperimentScenario.Outputs {
    private enum Media: String, CaseIterable {
        case sent, received, presented

        var member: WritableKeyPath<ExperimentScenario.Outputs, Bool> {
            switch self {
            case .sent: \.sentMedia
            case .received: \.receivedMedia
            case .presented: \.presentedMedia
            }
        }
    }

    private static let media = Kind<Media>.words().list().mapped(
        embed: { Set($0) }, extract: { media in Media.allCases.filter(media.contains) })

    static let record = Record<Self>(
        Self(sentMedia: true, receivedMedia: true, presentedMedia: true, series: .milliseconds(100), packets: false),
        [
            .key(
                "media", .optional(media),
                "The transport streams sent.ts, received.ts and presented.ts; none for long or many runs. Of more than 16 receivers only sent.ts where it is left out."
            ) { outputs -> Set<Media>?? in
                let media = Media.allCases.filter { outputs[keyPath: $0.member] }
                return media.isEmpty ? .some(nil) : Set(media)
            } set: { outputs, media in
                for one in Media.allCases { outputs[keyPath: one.member] = media?.contains(one) == true }
            }.like("[received]"),
            .key(
                "series", \.series, .optional(.time(.milliseconds(1)...ExperimentScenario.durations.upperBound)),
                "The interval of the values in series.csv."
            ).like("1s"),
            .key("packets", \.packets, .truth, "Whether packets.csv lists every packet with its fate.").like("true"),
            .key("units", \.units, .truth, "Whether units.csv lists every access unit, and what a decoder makes of it.")
                .like("true"),
        ])
}
