import Timebase

typealias Link = ExperimentScenario.Link

extension ExperimentScenario {
    /// One direction of a link, its stages in the order a packet meets them.
    public struct Link: Equatable, Sendable {
        /// Packets lost at random or by a list; nil: none.
        public var loss: Loss?
        /// Packets of which one bit is changed.
        public var corrupt: Ratio
        /// What does not conform is dropped.
        public var policer: TokenBucket?
        /// Meaningless without a rate.
        public var queue: Queue
        /// How much it carries.
        public var capacity: Capacity
        /// What the link layer adds to each IP packet, for the rate, the policer and the shaper.
        public var overhead: Overhead
        /// Packets of which a copy follows.
        public var duplicate: Ratio
        /// Not negative.
        public var delay: TimeSpan
        /// What varies its delay; nil: nothing does.
        public var jitter: Jitter?
        /// Packets that travel without delay, and so overtake.
        public var reorder: Reorder
        /// The share of the rate that sessions can reserve.
        public var reservable: Ratio
        /// What other people send over this link alone.
        public var crossTraffic: [CrossTraffic]
        /// By rising time.
        public var schedule: [Step]

        /// No rate, no delay, no impairment.
        public static let ideal = Link(
            loss: nil, corrupt: .zero, policer: nil, queue: .usual, capacity: .unlimited, overhead: .none,
            duplicate: .zero, delay: .zero, jitter: nil, reorder: .zero, reservable: Ratio(1), crossTraffic: [],
            schedule: [])

        /// What its way back is where nothing else is said: the same delay, no impairments.
        var mirrored: Link {
            var back = Link.ideal
            back.delay = delay
            return back
        }

        /// The link layer by name; what each adds is in ``LinkLayer``.
        public enum Overhead: String, Sendable, CaseIterable { case none, ethernet, atm }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link {
    static let record = Record<Self>(
        .ideal,
        [
            .oneOf(\.capacity, Capacity.choice),
            .key(
                "overhead", \.overhead, .words(),
                "What the link layer adds to each IP packet, for the rate, the policer and the shaper."
            ).like("ethernet"),
        ] + changing + [
            .key(
                "reservable", \.reservable, .ratio,
                "The share of the rate that can be reserved; the rest is for others."
            ).like("75%"),
            .key(
                "cross_traffic", \.crossTraffic, CrossTraffic.record.kind().list(most: (100, "sources")),
                "Other people's traffic over this link alone."
            ).like("[ { poisson: { rate: 2 Mbit/s } } ]"),
            schedule,
        ],
        rules: [
            Rule { checkQueue($1, hasRate: hasRate($1)) },
            Rule("rate", "shaper", "queue") { checkGuarantees($0, $1) },
        ])

    /// What can change while a link works.
    static let changing: [Field<Self>] = [
        .key(
            "policer", \.policer, .optional(ExperimentScenario.TokenBucket.record.kind()),
            "A token bucket; packets that do not conform are dropped."
        ).like("{ rate: 3 Mbit/s, burst: 20 kB }"),
        .key(
            "queue", .optional(Queue.kind),
            "How packets wait for the link, where it has a rate; without a rate there is none."
        ) {
            $0.capacity == .unlimited ? .some(nil) : $0.queue
        } set: {
            if let queue = $1 { $0.queue = queue }
        }.usually(Queue.kind.write(.usual)?.line).like("codel").needs("rate", "6 Mbit/s"),
        .key("delay", \.delay, .time(ExperimentScenario.delays), "How long every packet travels."),
        .key("jitter", \.jitter, .optional(Jitter.choice.kind()), "How the delay varies from packet to packet.")
            .like("{ normal: { deviation: 5ms } }"),
        .key("loss", \.loss, .optional(Loss.choice.kind()), "Which packets are lost; they never come to the queue.")
            .like("{ gilbert_elliott: { loss: 1%, mean_burst: 3 } }"),
        .key(
            "reorder", \.reorder, Reorder.kind,
            "The share of packets that travel without delay, and so overtake the ones ahead of them."),
        .key("duplicate", \.duplicate, .ratio, "The share of packets of which a copy follows."),
        .key("corrupt", \.corrupt, .ratio, "The share of packets in which one bit is changed."),
    ]

    /// Whether its text gives it a rate, right or wrong.
    static func hasRate(_ reader: ScenarioReader) -> Bool {
        reader.has("rate_trace") || reader.has("shaper") || reader.has("rate") && reader["rate"].text != "none"
    }

    static func checkQueue(_ reader: ScenarioReader, hasRate: Bool) {
        guard reader.has("queue") else { return }
        let queue = reader["queue"]
        if queue.text == "none" {
            guard hasRate else { return }
            queue.report("a link with a rate has a queue", expected: "drop_tail: { limit: 200 ms }")
        } else if !hasRate {
            queue.report("a link without a rate has no queue", hint: "give it a rate, or leave the queue out")
        }
    }

    static func checkGuarantees(_ link: Self, _ reader: ScenarioReader) {
        guard reader.has("queue"), case .weightedFair(let classes) = link.queue.discipline,
            let rate = link.nominalRate
        else { return }
        let total = classes.reduce(0) { $0 + $1.rate.bitsPerSecond }
        guard total > rate.bitsPerSecond else { return }
        reader["queue"]["wfq"]["classes"].report(
            "the guarantees add up to \(Quantity.text(BitRate(bitsPerSecond: total)))",
            expected: "at most the link's \(Quantity.text(rate))")
    }
}
