import Timebase

typealias Link = ExperimentScenario.Link

/// Links: what they are, and how they change.
extension ScenarioDecoder {
    /// The way back where none is given: each link's delay, last link first, and nothing else.
    static func mirror(_ forward: [Link]) -> [Link] {
        forward.reversed().map { link in
            var back = Link.ideal
            back.delay = link.delay
            return back
        }
    }

    /// - Returns: nil when there is no list.
    func links(_ reader: ScenarioReader, mayBeEmpty: Bool = false) -> [Link]? {
        guard let elements = reader.elements else { return nil }
        if elements.isEmpty, !mayBeEmpty { reader.report("there is no link", expected: "at least one, such as [{}]") }
        if elements.count > 100 { reader.report("\(elements.count) links", expected: "at most 100") }
        return elements.map(link)
    }

    private func link(_ reader: ScenarioReader) -> Link {
        var link = Link.ideal
        link.capacity = capacity(reader)
        link.overhead = reader["overhead"].word() ?? .none
        link.reservable = reader["reservable"].ratio() ?? Ratio(1)
        change(&link, reader)
        link.crossTraffic = (reader["cross_traffic"].elements ?? []).map(crossTraffic)
        if link.crossTraffic.count > 100 {
            reader["cross_traffic"].report("\(link.crossTraffic.count) sources", expected: "at most 100")
        }
        link.schedule = schedule(reader["schedule"], of: link)
        return link
    }

    /// Takes over what is written of the stages that can change.
    private func change(_ link: inout Link, _ reader: ScenarioReader) {
        if reader["policer"].isPresent { link.policer = tokenBucket(reader["policer"]) }
        if let delay = reader["delay"].time(.zero...Self.longestDelay) { link.delay = delay }
        if reader["jitter"].isPresent { link.jitter = jitter(reader["jitter"]) }
        if reader["loss"].isPresent { link.loss = loss(reader["loss"]) }
        if let ratio = reader["reorder"].ratio() { link.reorder = ratio }
        if let ratio = reader["duplicate"].ratio() { link.duplicate = ratio }
        if let ratio = reader["corrupt"].ratio() { link.corrupt = ratio }
        let queue = reader["queue"]
        if queue.text == "none" {
            guard link.capacity != .unlimited else { return }
            queue.report("a link with a rate has a queue", expected: "drop_tail: { limit: 200 ms }")
        } else if queue.isPresent {
            if link.capacity == .unlimited {
                queue.report("a link without a rate has no queue", hint: "give it a rate, or leave the queue out")
            }
            link.queue = self.queue(queue, link) ?? link.queue
        }
    }

    // MARK: Capacity

    private func capacity(_ reader: ScenarioReader) -> Link.Capacity {
        if reader["shaper"].isPresent {
            return tokenBucket(reader["shaper"]).map { .shaper($0) } ?? .unlimited
        }
        if reader["rate_trace"].isPresent { return rateTrace(reader["rate_trace"]).map { .trace($0) } ?? .unlimited }
        guard reader["rate"].isPresent, reader["rate"].text != "none" else { return .unlimited }
        // After a mistake the link has a rate all the same, or its queue would be one more.
        return .constant(reader["rate"].bitRate(Self.rates) ?? Self.rates.upperBound)
    }

    private func rateTrace(_ reader: ScenarioReader) -> Link.RateTraceFile? {
        if let path = file(reader, "mahimahi") {
            return Link.RateTraceFile(format: .mahimahi(reader["reading"].word() ?? .opportunities), path: path)
        }
        if reader["reading"].isPresent {
            reader["reading"].report("'reading' goes with 'mahimahi'", hint: "leave it out")
        }
        if let path = file(reader, "csv") {
            let period = reader["repeat"]
            return Link.RateTraceFile(
                format: .csv(period: period.text == "none" ? nil : period.time(Self.shortest...Self.longestDuration)),
                path: path)
        }
        if reader["repeat"].isPresent { reader["repeat"].report("'repeat' goes with 'csv'", hint: "leave it out") }
        if let path = file(reader, "hsdpa") { return Link.RateTraceFile(format: .hsdpa, path: path) }
        if !["mahimahi", "csv", "hsdpa"].contains(where: { reader[$0].isPresent }) {
            reader.report("no trace is named", expected: "one of mahimahi, csv, hsdpa with a file's name")
        }
        return nil
    }

    private func file(_ reader: ScenarioReader, _ key: String) -> String? {
        reader[key].isPresent ? reader[key].file() : nil
    }

    /// - Returns: nil for "none".
    func tokenBucket(_ reader: ScenarioReader) -> ExperimentScenario.TokenBucket? {
        guard reader.isPresent, reader.text != "none" else { return nil }
        let limits = reader["burst"]
        reader["rate"].reportMissing(expected: "a bit rate with its unit, such as 5 Mbit/s")
        limits.reportMissing(expected: "an amount of data with its unit, such as 30 kB")
        let rate = reader["rate"].bitRate(Self.rates)
        let burst = limits.bounded(1_600...1_000_000_000, { Quantity.text(bytes: $0) }) {
            text throws(QuantityProblem) in try Quantity.byteCount(text)
        }
        return ExperimentScenario.TokenBucket(rate: rate ?? Self.rates.upperBound, burst: Int(burst ?? 1_600))
    }

    // MARK: Schedule

    private func schedule(_ reader: ScenarioReader, of link: Link) -> [Link.Step] {
        var link = link
        var latest = TimeSpan.nanoseconds(-1)
        let elements = reader.elements ?? []
        if elements.count > 10_000 { reader.report("\(elements.count) changes", expected: "at most 10000") }
        return elements.compactMap { element in
            element["at"].reportMissing(expected: "a time with its unit, such as at: 20s")
            guard let at = element["at"].time(.zero...Self.longestDuration) else { return nil }
            if at <= latest {
                element["at"].report(
                    "the change before it is at \(Quantity.text(latest))", expected: "rising times",
                    hint: "one change can have several keys")
            }
            latest = max(at, latest)
            return step(element, at: at, &link)
        }
    }

    private func step(_ reader: ScenarioReader, at: TimeSpan, _ link: inout Link) -> Link.Step {
        if let rate = reader["rate"].bitRate(Self.rates) {
            if case .constant = link.capacity {
                link.capacity = .constant(rate)
            } else {
                reader["rate"].report("the link has no constant rate that could change", hint: "give it a rate")
            }
        }
        if let bucket = tokenBucket(reader["shaper"]) {
            if case .shaper = link.capacity {
                link.capacity = .shaper(bucket)
            } else {
                reader["shaper"].report("the link has no shaper that could change", hint: "give it a shaper")
            }
        }
        change(&link, reader)
        let keys = (ScenarioShape.step.fields ?? []).map(\.name).filter { reader[$0].isPresent }
        if keys == ["at"] { reader.report("nothing changes", expected: "a key of a link, or down: 500ms") }
        return Link.Step(
            at: at, down: reader["down"].time(Self.shortest...Self.longestDelay), link: link,
            keys: keys.filter { $0 != "at" && $0 != "down" })
    }

    // MARK: Cross traffic

    private func crossTraffic(_ reader: ScenarioReader) -> Link.CrossTraffic {
        Link.CrossTraffic(
            pattern: pattern(reader), serviceClass: serviceClass(reader["class"]) ?? .bestEffort,
            reservation: tokenBucket(reader["reservation"]))
    }

    private func pattern(_ reader: ScenarioReader) -> Link.CrossTraffic.Pattern {
        if reader["trace"].isPresent {
            let trace = reader["trace"]
            trace["file"].reportMissing(expected: "a file's name")
            return .trace(path: file(trace, "file") ?? "", repeats: trace["repeat"].truth() ?? false)
        }
        if reader["on_off"].isPresent { return .onOff(onOff(reader["on_off"])) }
        let isConstant = reader["constant"].isPresent
        let flow = reader[isConstant ? "constant" : "poisson"]
        if !isConstant, !flow.isPresent {
            reader.report("no traffic is described", expected: "one of poisson, constant, on_off, trace")
            return .constant(rate: Self.rates.lowerBound, packet: 1_200)
        }
        let (rate, packet) = (trafficRate(flow), packetLength(flow))
        return isConstant ? .constant(rate: rate, packet: packet) : .poisson(rate: rate, packet: packet)
    }

    private func onOff(_ reader: ScenarioReader) -> Link.CrossTraffic.OnOff {
        for key in ["on", "off"] { reader[key].reportMissing(expected: "a mean time with its unit, such as 200ms") }
        let isPareto = reader["law"].text == "pareto"
        let shape = self.shape(reader["shape"], 1.05...100)
        if isPareto { reader["shape"].reportMissing(expected: "the law's shape, such as 1.5") }
        if !isPareto, reader["shape"].isPresent {
            reader["shape"].report("'shape' goes with 'law: pareto'", hint: "leave it out")
        }
        let range = TimeSpan.milliseconds(1)...Self.longestDelay
        return Link.CrossTraffic.OnOff(
            rate: trafficRate(reader), packet: packetLength(reader),
            on: reader["on"].time(range) ?? .seconds(1), off: reader["off"].time(range) ?? .seconds(1),
            shape: isPareto ? shape ?? 1.5 : nil)
    }

    private func trafficRate(_ reader: ScenarioReader) -> BitRate {
        reader["rate"].reportMissing(expected: "a bit rate with its unit, such as 2 Mbit/s")
        return reader["rate"].bitRate(Self.rates) ?? Self.rates.lowerBound
    }

    /// Of IP packets.
    private func packetLength(_ reader: ScenarioReader) -> Int {
        let length = reader["packet"].bounded(28...1_500, { Quantity.text(bytes: $0) }) {
            text throws(QuantityProblem) in try Quantity.byteCount(text)
        }
        return Int(length ?? 1_200)
    }

    func serviceClass(_ reader: ScenarioReader) -> ServiceClass? {
        reader.scalar { text throws(QuantityProblem) in
            guard let parsed = ServiceClass(text) else {
                throw QuantityProblem(expected: "a DSCP: EF, AF11 ... AF43, CS0 ... CS7, BE, LE, or 0 to 63", hint: nil)
            }
            return parsed
        }
    }

    // MARK: Clocks

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
