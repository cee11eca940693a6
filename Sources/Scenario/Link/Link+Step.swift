import Timebase

extension ExperimentScenario.Link {
    /// A change of the link at a time.
    public struct Step: Equatable, Sendable {
        /// When, from emulated time zero.
        public var at: TimeSpan
        /// How long nothing can enter or be sent.
        public var down: TimeSpan?
        /// The link from then on, as far as `keys` name it.
        public var link: ExperimentScenario.Link
        /// What is written here, in the order of a link's keys.
        public var keys: [String]
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link {
    /// Changes by rising time, each of the link as the one before left it.
    static let schedule = Field<Self>(
        keys: [
            Shape.Field(
                name: "schedule",
                shape: Shape(element: [Shape(keys: Shape.Keys(timing.keys + changes.flatMap(\.keys)))]),
                meaning: "Changes of the link and times when it is down, by rising time.",
                example: "[ { at: 20s, delay: 50ms } ]")
        ]
    ) { link, reader in
        if reader.has("schedule") { link.schedule = steps(reader["schedule"], of: link, reader) }
    } write: { link in
        let steps = link.schedule.map { step in
            ScenarioText.map(
                timing.write((step.at, step.down))
                    + changes.flatMap { $0.write(step.link) }.filter { entry in
                        step.keys.contains(entry.key)
                    }, isBlock: false)
        }
        return [("schedule", .list(steps, isBlock: false))]
    }

    private static let timing = Record<(at: TimeSpan, down: TimeSpan?)>(
        (.zero, nil),
        [
            .key("at", \.at, .time(.zero...ExperimentScenario.durations.upperBound), "When it happens.")
                .required("a time with its unit, such as at: 20s", like: "20s").needs("delay", "50ms"),
            .optional(
                "down", \.down, .time(.nanoseconds(1)...ExperimentScenario.delays.upperBound),
                "How long nothing can enter the link or be sent."
            ).like("500ms"),
        ])

    private static let changes: [Field<Self>] =
        [
            .key(
                "rate", Kind<BitRate>.bitRate(ExperimentScenario.rates),
                "Another rate, of a link that has a constant one."
            ) {
                if case .constant(let rate) = $0.capacity { rate } else { nil }
            } set: {
                $0.capacity = .constant($1)
            }.like("3 Mbit/s").needs("rate", "6 Mbit/s", levels: 1),
            .key(
                "shaper", ExperimentScenario.TokenBucket.record.kind(), "Another bucket, of a link that has a shaper."
            ) {
                if case .shaper(let bucket) = $0.capacity { bucket } else { nil }
            } set: {
                $0.capacity = .shaper($1)
            }.like("{ rate: 3 Mbit/s, burst: 30 kB }").needs("shaper", "{ rate: 5 Mbit/s, burst: 30 kB }", levels: 1),
        ]
        + changing.map { field in
            var field = field
            // In a schedule it is the link around it that has the rate.
            field.keys[0].needs = field.keys[0].needs.map { need in
                Shape.Need(levels: need.levels + 1, key: need.key, example: need.example)
            }
            field.keys[0].usual = { nil }
            return field
        }

    /// - Parameter outer: the link's own keys.
    private static func steps(_ reader: ScenarioReader, of link: Self, _ outer: ScenarioReader) -> [Step] {
        guard let elements = reader.elements else { return reader.failing() ?? [] }
        if elements.count > 10_000 { reader.report("\(elements.count) changes", expected: "at most 10000") }
        var link = link
        var latest = TimeSpan.nanoseconds(-1)
        return elements.compactMap { element in
            guard let (at, down) = timing.read(element) else { return nil }
            if element.has("at"), at <= latest {
                element["at"].report(
                    "the change before it is at \(Quantity.text(latest))", expected: "rising times",
                    hint: "one change can have several keys")
            }
            latest = max(at, latest)
            for change in changes { change.read(into: &link, element) }
            checkChange(link, element, outer)
            let keys = changes.map { $0.keys[0].name }.filter { element.has($0) }
            if keys.isEmpty, !element.has("down") {
                element.report("nothing changes", expected: "a key of a link, or down: 500ms")
            }
            return Step(at: at, down: down, link: link, keys: keys)
        }
    }

    private static func checkChange(_ link: Self, _ reader: ScenarioReader, _ outer: ScenarioReader) {
        if reader.has("rate"), !outer.has("rate") || outer["rate"].text == "none" {
            reader["rate"].report("the link has no constant rate that could change", hint: "give it a rate")
        }
        if reader.has("shaper"), !outer.has("shaper") {
            reader["shaper"].report("the link has no shaper that could change", hint: "give it a shaper")
        }
        checkQueue(reader, hasRate: hasRate(outer))
        checkGuarantees(link, reader)
    }
}
