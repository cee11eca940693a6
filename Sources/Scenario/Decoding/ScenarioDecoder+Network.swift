import Timebase

extension ScenarioDecoder {
    /// No rate, no delay, no impairment.
    static let idealLink = ExperimentScenario.Link(
        rate: nil, queue: usualQueue, delay: .zero, jitter: nil, loss: nil)

    /// The way back where none is given: each link's delay, last link first, and nothing else.
    static func mirror(_ forward: [ExperimentScenario.Link]) -> [ExperimentScenario.Link] {
        forward.reversed().map { link in
            var back = idealLink
            back.delay = link.delay
            return back
        }
    }

    /// - Returns: nil when there is no list.
    func links(_ reader: ScenarioReader, mayBeEmpty: Bool = false) -> [ExperimentScenario.Link]? {
        guard let elements = reader.elements else { return nil }
        if elements.isEmpty, !mayBeEmpty { reader.report("there is no link", expected: "at least one, such as [{}]") }
        if elements.count > 100 { reader.report("\(elements.count) links", expected: "at most 100") }
        return elements.map(link)
    }

    private func link(_ reader: ScenarioReader) -> ExperimentScenario.Link {
        var link = Self.idealLink
        if reader["rate"].text != "none" { link.rate = reader["rate"].bitRate(Self.rates) }
        link.delay = reader["delay"].time(.zero...Self.longestDelay) ?? .zero
        link.jitter = jitter(reader["jitter"])
        link.loss = loss(reader["loss"])
        let queue = reader["queue"]
        let hasRate = reader["rate"].isPresent && reader["rate"].text != "none"
        if queue.text == "none" {
            if hasRate { queue.report("a link with a rate has a queue", expected: "drop_tail: { limit: 200 ms }") }
        } else if queue.isPresent {
            if !hasRate {
                queue.report("a link without a rate has no queue", hint: "give it a rate, or leave the queue out")
            }
            link.queue = queueLimit(queue["drop_tail"]) ?? Self.usualQueue
        }
        return link
    }

    private func queueLimit(_ reader: ScenarioReader) -> ExperimentScenario.Link.QueueLimit? {
        let limit = reader["limit"]
        let expected = "packets, bytes or a time: 100 packets, 64 kB or 100 ms"
        if reader.isPresent { limit.reportMissing(expected: expected) }
        return limit.scalar { text throws(QuantityProblem) in
            guard let (_, unit) = ExactDecimal.prefix(of: text), !unit.isEmpty else {
                throw QuantityProblem(expected: expected, hint: "number and unit")
            }
            let parsed: ExperimentScenario.Link.QueueLimit
            let isInRange: Bool
            if QuantityKind.packetCount.units.contains(where: { $0.name == unit }) {
                let count = try Quantity.packetCount(text)
                (parsed, isInRange) = (.packets(Int(count)), (1...1_000_000).contains(count))
            } else if QuantityKind.byteCount.units.contains(where: { $0.name == unit }) {
                let count = try Quantity.byteCount(text)
                (parsed, isInRange) = (.bytes(Int(count)), (1...10_000_000_000).contains(count))
            } else if QuantityKind.time.units.contains(where: { $0.name == unit }) {
                let time = try Quantity.time(text)
                (parsed, isInRange) = (.time(time), (Self.shortest...Self.longestDelay).contains(time))
            } else {
                throw QuantityProblem(expected: expected, hint: "units: packets, B, kB, MB, us, ms, s")
            }
            guard isInRange else {
                throw QuantityProblem(expected: "more than nothing, at most 1000000 packets, 10 GB or 1h", hint: nil)
            }
            return parsed
        }
    }

    private func jitter(_ reader: ScenarioReader) -> ExperimentScenario.Link.Jitter? {
        func span(_ law: String, _ key: String) -> TimeSpan? {
            guard reader[law].isPresent else { return nil }
            reader[law][key].reportMissing(expected: "a time with its unit, such as 5ms")
            return reader[law][key].time(.zero...Self.longestDelay)
        }
        if let deviation = span("normal", "deviation") { return .normal(deviation: deviation) }
        if let halfRange = span("uniform", "half_range") { return .uniform(halfRange: halfRange) }
        return nil
    }

    private func loss(_ reader: ScenarioReader) -> ExperimentScenario.Link.Loss? {
        if let probability = reader["bernoulli"].ratio() { return .bernoulli(probability) }
        let bursts = reader["gilbert_elliott"]
        guard bursts.isPresent else { return nil }
        bursts["loss"].reportMissing(expected: "a percentage, such as 1%")
        bursts["mean_burst"].reportMissing(expected: "the mean length of a run of losses in packets, such as 3")
        let burst = bursts["mean_burst"].bounded(1...1_000_000, { (value: Double) in Quantity.text(value) }) {
            text throws(QuantityProblem) in try Quantity.number(text)
        }
        guard let loss = bursts["loss"].ratio() else { return nil }
        guard loss.value < 1 else {
            bursts["loss"].report(
                "with all packets lost there are no bursts", expected: "less than 100%", hint: "use bernoulli: 100%")
            return nil
        }
        guard let burst else { return nil }
        // Where losses are independent (p + r = 1) a run of them has this mean length; shorter runs would need losses
        // that repel each other.
        let least = 1 / (1 - loss.value)
        guard burst >= least else {
            bursts["mean_burst"].reportInvalid(
                expected: "at least 1 / (1 - loss) = \(Quantity.text((least * 1000).rounded(.up) / 1000))",
                hint: "even independent losses of \(Quantity.text(loss)) come in runs of that mean length")
            return nil
        }
        return .gilbertElliott(loss: loss, meanBurst: burst)
    }

    /// - Returns: nil when there is none.
    func clock(_ reader: ScenarioReader) -> ExperimentScenario.Clock? {
        guard reader.isPresent else { return nil }
        let most = TimeSpan.seconds(366 * 86_400)
        let frequency = reader["frequency"].bounded(-100_000_000...100_000_000, { Quantity.text(partsPerBillion: $0) })
        {
            text throws(QuantityProblem) in try Quantity.frequency(text)
        }
        return ExperimentScenario.Clock(offset: reader["offset"].time(-most...most) ?? .zero, frequency: frequency ?? 0)
    }
}
