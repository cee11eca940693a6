import Emulator
import NetworkEmulation
import Timebase

/// Makes links.
final class LinkBuilder {
    private let key: DrawKey
    let tables: LinkTables

    /// - Parameter title: what problems call the scenario.
    init(title: String, root: DrawKey) {
        key = root.named("network")
        tables = LinkTables(title: title)
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
        let (rate, capacity) = try link.capacitySource(outages, tables, path: path)
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
            loss: try link.loss?.mechanism(tables, key.named("loss"), path: path + ".loss") ?? .none, rate: rate,
            queueLimit: link.queue.limit.mechanism, delay: try delay(link, key.named("jitter"), path: path),
            discipline: link.queue.mechanism(rate: rate, reservable: link.reservable, key.named("queue")))
        configuration.damage = chance(link.corrupt, "corrupt")
        configuration.duplication = chance(link.duplicate, "duplicate")
        configuration.policer = link.policer?.parameters
        return configuration
    }

    private func delay(
        _ link: ExperimentScenario.Link, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> DelayModel {
        var jitter = DelayModel.Jitter.none
        if let law = link.jitter?.law { jitter = try tables.jitter(law, path: path + ".jitter") }
        return DelayModel(
            delay: link.delay, jitter: jitter, correlation: link.jitter?.correlation.value ?? 0,
            mayReorder: link.jitter?.reorder ?? false,
            early: link.reorder.mechanism, key: key)
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

    // MARK: Cross traffic

    private func crossTraffic(
        _ link: ExperimentScenario.Link, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> [CrossTrafficConfiguration] {
        var sources: [CrossTrafficConfiguration] = []
        for (index, source) in link.crossTraffic.enumerated() {
            let pattern = try source.pattern.mechanism(tables, path: "\(path).cross_traffic.\(index)")
            sources.append(
                CrossTrafficConfiguration(
                    pattern, differentiatedServices: source.serviceClass.codePoint,
                    reservation: source.reservation?.parameters, key: key.named("cross_traffic.\(index)")))
        }
        return sources
    }
}
