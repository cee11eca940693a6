import Emulator
import NetworkEmulation
import Timebase

/// Makes links. What several of them can share, files and tables of laws, is read or made once.
final class LinkBuilder {
    let title: String
    private let key: DrawKey
    private let laws: LinkLaws
    private var rateTraces: [ExperimentScenario.Link.RateTraceFile: Trace] = [:]

    private enum Trace {
        case pieces(RateTrace)
        case opportunities(OpportunityTrace)
    }

    init(title: String, root: DrawKey) {
        self.title = title
        key = root.named("network")
        laws = LinkLaws(title: title)
    }

    /// - Parameters:
    ///   - prefix: of their names, and of their draws.
    ///   - path: where they stand in the scenario.
    ///   - duplicating: how many links before them on the way make copies.
    /// - Returns: also how many on the way then do.
    func links(
        _ links: [ExperimentScenario.Link], _ prefix: String, path: String, duplicating: Int = 0
    ) throws(ScenarioProblems) -> (links: [NamedLink], duplicating: Int) {
        var result: [NamedLink] = []
        var duplicating = duplicating
        for (index, link) in links.enumerated() {
            var named = try self.link(link, id: "\(prefix).\(index)", path: "\(path).\(index)")
            // One of eight bits: copies of copies of copies have names of their own.
            let mark: UInt8 = 1 << UInt8(duplicating % 8)
            named.configuration.duplicateMark = mark
            for index in named.configuration.changes.indices {
                named.configuration.changes[index].configuration.duplicateMark = mark
            }
            let duplicates = ([link] + link.schedule.map(\.link)).contains { $0.duplicate != .zero }
            if duplicates { duplicating += 1 }
            result.append(named)
        }
        return (result, duplicating)
    }

    /// - Parameter id: its name, and that of its draws.
    func link(_ link: ExperimentScenario.Link, id: String, path: String) throws(ScenarioProblems) -> NamedLink {
        let key = key.named(id)
        return NamedLink(
            id: id, try configuration(link, key, path: path), crossTraffic: try crossTraffic(link, key, path: path))
    }

    /// The way back mirrors the delay of a receiver's own links, without impairments.
    func mirrored(_ links: [ExperimentScenario.Link], _ prefix: String) -> [NamedLink] {
        links.reversed().enumerated().map { index, link in
            NamedLink(
                id: "\(prefix).\(index)",
                LinkConfiguration(
                    loss: .none, rate: nil, queueLimit: .packets(1), delay: DelayModel(delay: link.delay, key: key)))
        }
    }

    // MARK: One link

    private func configuration(
        _ link: ExperimentScenario.Link, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> LinkConfiguration {
        let outages = link.schedule.compactMap { step in
            step.down.map { Instant.zero + step.at..<Instant.zero + step.at + $0 }
        }
        let (rate, capacity) = try self.capacity(link, outages, path: path)
        var configuration = try stages(link, rate, key, path: path)
        configuration.capacity = capacity
        configuration.linkLayer = linkLayer(link, capacity)
        configuration.outages = united(outages)
        for (index, step) in link.schedule.enumerated() where !step.keys.isEmpty {
            let later = step.link.nominalRate ?? rate
            var stages = try self.stages(step.link, later, key, path: "\(path).schedule.\(index)")
            if case .shaper(let bucket) = step.link.capacity { stages.capacity = .tokens(bucket.parameters) }
            configuration.changes.append((.zero + step.at, stages))
        }
        return configuration
    }

    /// All but the capacity.
    private func stages(
        _ link: ExperimentScenario.Link, _ rate: BitRate?, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> LinkConfiguration {
        func chance(_ ratio: Ratio, _ name: String) -> PacketChance? {
            ratio == .zero ? nil : PacketChance(ratio.probability, key: key.named(name))
        }
        var configuration = LinkConfiguration(
            loss: try laws.loss(link.loss, key.named("loss"), path: path + ".loss"), rate: rate,
            queueLimit: link.queue.limit.mechanism, delay: try laws.delay(link, key.named("jitter"), path: path),
            discipline: discipline(link, rate, key.named("queue")))
        configuration.damage = chance(link.corrupt, "corrupt")
        configuration.duplication = chance(link.duplicate, "duplicate")
        configuration.policer = link.policer?.parameters
        return configuration
    }

    private func linkLayer(_ link: ExperimentScenario.Link, _ capacity: CapacitySource) -> LinkLayer {
        switch link.overhead {
        case .ethernet: return .ethernet
        case .atm: return .atm
        case .none:
            // Opportunities are counted with the four bytes of a tunnel device.
            if case .opportunities = capacity { return .tunnel }
            return .none
        }
    }

    private func united(_ outages: [Range<Instant>]) -> [Range<Instant>] {
        var united: [Range<Instant>] = []
        for outage in outages {
            if let last = united.last, outage.lowerBound <= last.upperBound {
                united[united.count - 1] = last.lowerBound..<max(last.upperBound, outage.upperBound)
            } else {
                united.append(outage)
            }
        }
        return united
    }

    private func discipline(_ link: ExperimentScenario.Link, _ rate: BitRate?, _ key: DrawKey) -> QueueDiscipline {
        let limit = link.queue.limit.mechanism
        switch link.queue.discipline {
        case .dropTail: return .dropTail
        case .dropHead: return .dropHead
        case .codel(let codel): return .codel(codel.parameters)
        case .pie(let target, let update, let ecn):
            return .pie(PIEParameters(target: target, update: update, ecn: ecn, key: key))
        case .fqCodel(let codel, let flows, let quantum):
            return .fqCodel(FQCoDelParameters(codel: codel.parameters, buckets: flows, quantum: quantum, key: key))
        case .priority(let classes):
            return .priority(classes.map { PriorityClass(codePoints: [$0.codePoint], limit: limit) })
        case .weightedFair(let classes):
            let guaranteed = classes.map {
                GuaranteedClass(codePoints: [$0.serviceClass.codePoint], rate: $0.rate, limit: limit)
            }
            let kept = Double(rate?.bitsPerSecond ?? 0) * (1 - link.reservable.value)
            return .weightedFair(
                WeightedFairParameters(
                    classes: guaranteed, bestEffortMinimum: BitRate(bitsPerSecond: UInt64(kept.rounded()))))
        }
    }

    // MARK: Capacity

    private func capacity(
        _ link: ExperimentScenario.Link, _ outages: [Range<Instant>], path: String
    ) throws(ScenarioProblems) -> (rate: BitRate?, CapacitySource) {
        let spans = outages.map { $0.lowerBound - Instant.zero..<$0.upperBound - Instant.zero }
        switch link.capacity {
        case .unlimited: return (nil, .constant)
        case .shaper(let bucket): return (bucket.rate, .tokens(bucket.parameters))
        case .constant(let rate):
            let changes = link.schedule.compactMap { step in
                step.keys.contains("rate") ? step.link.nominalRate.map { (at: step.at, rate: $0) } : nil
            }
            guard !changes.isEmpty || !spans.isEmpty else { return (rate, .constant) }
            let first = changes.first?.at == .zero ? [] : [(at: TimeSpan.zero, rate: rate)]
            guard let trace = RateTrace(first + changes) else {
                throw problem(path + ".schedule", "the rates cannot be followed")
            }
            return (rate, try down(trace, spans, path: path))
        case .trace(let file):
            switch try rateTrace(file, path: path + ".rate_trace") {
            case .pieces(let trace): return (trace.meanRate(), try down(trace, spans, path: path))
            case .opportunities(let trace):
                let bytes = 1_504
                return (
                    trace.meanRate(opportunityBits: UInt64(bytes * 8)),
                    .opportunities(trace.without(spans), bytes: bytes)
                )
            }
        }
    }

    private func down(
        _ trace: RateTrace, _ spans: [Range<TimeSpan>], path: String
    ) throws(ScenarioProblems) -> CapacitySource {
        guard let trace = trace.overridden(in: spans, with: BitRate(bitsPerSecond: 0)) else {
            throw problem(path + ".schedule", "the rate trace is too fine for an outage so late")
        }
        return .pieces(trace)
    }

    private func rateTrace(
        _ file: ExperimentScenario.Link.RateTraceFile, path: String
    ) throws(ScenarioProblems) -> Trace {
        if let known = rateTraces[file] { return known }
        let trace = try laws.read(file.path, path: path) { bytes throws(TraceProblem) -> Trace? in
            switch file.format {
            case .csv(let period): .pieces(try RateTrace(csv: bytes, repeatingEvery: period))
            case .hsdpa: .pieces(try RateTrace(hsdpa: bytes))
            case .mahimahi(.opportunities): .opportunities(try OpportunityTrace(mahimahi: bytes))
            case .mahimahi(.piecewise): RateTrace(try OpportunityTrace(mahimahi: bytes)).map { .pieces($0) }
            }
        }
        guard let trace else { throw problem(path, "'\(file.path)' delivers nothing") }
        rateTraces[file] = trace
        return trace
    }

    // MARK: Cross traffic

    private func crossTraffic(
        _ link: ExperimentScenario.Link, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> [CrossTrafficConfiguration] {
        var sources: [CrossTrafficConfiguration] = []
        for (index, source) in link.crossTraffic.enumerated() {
            let pattern = try self.pattern(source.pattern, path: "\(path).cross_traffic.\(index)")
            sources.append(
                CrossTrafficConfiguration(
                    pattern, differentiatedServices: source.serviceClass.codePoint,
                    reservation: source.reservation?.parameters, key: key.named("cross_traffic.\(index)")))
        }
        return sources
    }

    private func pattern(
        _ pattern: ExperimentScenario.Link.CrossTraffic.Pattern, path: String
    ) throws(ScenarioProblems) -> ArrivalPattern {
        switch pattern {
        case .poisson(let rate, let packet): return .poisson(rate: rate, length: UInt16(packet))
        case .constant(let rate, let packet): return .constant(rate: rate, length: UInt16(packet))
        case .onOff(let flow):
            func law(_ mean: TimeSpan) -> QuantileTable {
                flow.shape.map { .pareto(mean: mean, shape: $0) } ?? .exponential(mean: mean)
            }
            return .onOff(rate: flow.rate, length: UInt16(flow.packet), on: law(flow.on), off: law(flow.off))
        case .trace(let file, let repeats):
            let path = path + ".trace"
            let trace = try laws.read(file, path: path) { bytes throws(TraceProblem) in try ArrivalTrace(csv: bytes) }
            guard trace.arrivals.allSatisfy({ 28...1_500 ~= $0.length }) else {
                throw problem(path, "'\(file)' has packets of less than 28 or more than 1500 bytes")
            }
            guard !repeats || trace.span > .zero else { throw problem(path, "'\(file)' has no length to repeat") }
            return .recorded(trace.arrivals.map { ($0.time, $0.length) }, period: repeats ? trace.span : nil)
        }
    }

    private func problem(_ path: String, _ statement: String) -> ScenarioProblems {
        ScenarioProblems([ScenarioProblem(.file(title), path: path, statement)])
    }
}

extension ExperimentScenario.TokenBucket {
    var parameters: TokenBucketParameters { TokenBucketParameters(rate: rate, burst: burst) }
}

extension ExperimentScenario.Link.Queue.Limit {
    fileprivate var mechanism: DropTailQueue.Limit {
        switch self {
        case .packets(let count): .packets(count)
        case .bytes(let count): .bytes(count)
        case .time(let span): .time(span)
        }
    }
}

extension ExperimentScenario.Link.Queue.CoDel {
    fileprivate var parameters: CoDelParameters { CoDelParameters(target: target, interval: interval, ecn: ecn) }
}
