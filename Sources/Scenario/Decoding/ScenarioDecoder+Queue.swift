import Timebase

/// Queues.
extension ScenarioDecoder {
    func queue(_ reader: ScenarioReader, _ link: Link) -> Link.Queue? {
        typealias Discipline = Link.Queue.Discipline
        let names = (ScenarioShape.queue.fields ?? []).map(\.name)
        guard let name = names.first(where: { reader[$0].isPresent || reader.text == $0 }) else { return nil }
        let queue = reader[name]
        let range = TimeSpan.microseconds(1)...Self.longestDelay
        func time(_ key: String, _ usual: Int64) -> TimeSpan { queue[key].time(range) ?? .milliseconds(usual) }
        var usual = Link.Queue.Limit.usual
        let discipline: Discipline
        // The defaults are those of the standards and of Linux.
        switch name {
        case "drop_head": discipline = .dropHead
        case "codel":
            discipline = .codel(codel(queue))
            usual = .packets(1_000)
        case "pie":
            discipline = .pie(
                target: time("target", 15), update: time("update", 15), ecn: queue["ecn"].truth() ?? false)
            usual = .packets(1_000)
        case "fq_codel":
            let quantum = queue["quantum"].bounded(64...1_000_000, { Quantity.text(bytes: $0) }) {
                text throws(QuantityProblem) in try Quantity.byteCount(text)
            }
            discipline = .fqCodel(
                codel(queue), flows: queue["flows"].integer(1...65_535) ?? 1_024, quantum: Int(quantum ?? 1_514))
            usual = .packets(10_240)
        case "priority": discipline = .priority(classes(queue["classes"]))
        case "wfq": discipline = .weightedFair(guaranteed(queue["classes"], link))
        default: discipline = .dropTail
        }
        if ["drop_tail", "drop_head"].contains(name) { queue["limit"].reportMissing(expected: Self.limitText) }
        return Link.Queue(discipline: discipline, limit: queueLimit(queue["limit"]) ?? usual)
    }

    private func codel(_ reader: ScenarioReader) -> Link.Queue.CoDel {
        let range = TimeSpan.microseconds(1)...Self.longestDelay
        return Link.Queue.CoDel(
            target: reader["target"].time(range) ?? .milliseconds(5),
            interval: reader["interval"].time(range) ?? .milliseconds(100), ecn: reader["ecn"].truth() ?? false)
    }

    private func classes(_ reader: ScenarioReader) -> [ServiceClass] {
        reader.reportMissing(expected: "classes by falling priority, such as [EF, AF41]")
        let elements = reader.elements ?? []
        if elements.count > 16 { reader.report("\(elements.count) classes", expected: "at most 16") }
        var seen: Set<ServiceClass> = []
        return elements.compactMap { element in
            guard let parsed = serviceClass(element) else { return nil }
            if !seen.insert(parsed).inserted { element.report("the class \(parsed.name) is given twice") }
            return parsed
        }
    }

    private func guaranteed(_ reader: ScenarioReader, _ link: Link) -> [Link.Queue.GuaranteedClass] {
        guard let entries = reader.entries else { return [] }
        if entries.count > 16 { reader.report("\(entries.count) classes", expected: "at most 16") }
        let classes: [Link.Queue.GuaranteedClass] = entries.compactMap { name, entry in
            guard let parsed = ServiceClass(name) else {
                entry.report(
                    "'\(shortened(name))' is no class",
                    expected: "a DSCP: EF, AF11 ... AF43, CS0 ... CS7, LE, or 0 to 63")
                return nil
            }
            entry["rate"].reportMissing(expected: "the rate that the class is guaranteed, such as 2 Mbit/s")
            guard let rate = entry["rate"].bitRate(Self.rates) else { return nil }
            return Link.Queue.GuaranteedClass(serviceClass: parsed, rate: rate)
        }
        let total = classes.reduce(0) { $0 + $1.rate.bitsPerSecond }
        if let rate = link.nominalRate, total > rate.bitsPerSecond {
            reader.report(
                "the guarantees add up to \(Quantity.text(BitRate(bitsPerSecond: total)))",
                expected: "at most the link's \(Quantity.text(rate))")
        }
        return classes
    }

    private static let limitText = "packets, bytes or a time: 100 packets, 64 kB or 100 ms"

    private func queueLimit(_ limit: ScenarioReader) -> Link.Queue.Limit? {
        limit.scalar { text throws(QuantityProblem) in
            guard let (_, unit) = ExactDecimal.prefix(of: text), !unit.isEmpty else {
                throw QuantityProblem(expected: Self.limitText, hint: "number and unit")
            }
            let parsed: Link.Queue.Limit
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
                throw QuantityProblem(expected: Self.limitText, hint: "units: packets, B, kB, MB, us, ms, s")
            }
            guard isInRange else {
                throw QuantityProblem(expected: "more than nothing, at most 1000000 packets, 10 GB or 1h", hint: nil)
            }
            return parsed
        }
    }
}

extension ExperimentScenario.Link {
    /// The rate as far as the scenario says it; that of a trace is in its file.
    var nominalRate: BitRate? {
        switch capacity {
        case .unlimited, .trace: nil
        case .constant(let rate): rate
        case .shaper(let bucket): bucket.rate
        }
    }
}
