import Capture
import Emulator
import Scenario
import Timebase
import Wire

/// Writes a World's effects into the run directory: media, captures, series and packets.
package final class RunOutputs {
    private let configuration: WorldConfiguration
    private let session: SessionPlan
    private let directory: RunDirectory
    private let media: MediaOutputs
    private var captures: [CapturePoint: CaptureWriter] = [:]
    private var series: SeriesWriter?
    private var columns: [SeriesWriter.Column] = []
    private var packets: PacketsWriter?
    private var flows: [PacketsWriter.Flow] = []
    private var units: UnitsWriter?
    private var events: EventsWriter?
    private var exchanges: ExchangesWriter?

    /// Opens what the scenario's outputs ask for.
    ///
    /// - Throws: ``SystemError``.
    package init(_ scenario: ExperimentScenario, _ configuration: WorldConfiguration, in directory: RunDirectory) throws
    {
        self.configuration = configuration
        self.directory = directory
        session = SessionPlan(configuration)
        let description = session.description(name: scenario.name, rate: configuration.transportRate)
        try directory.write("session.sdp", description.text)
        media = try MediaOutputs(
            .init(
                sent: scenario.outputs.sentMedia, received: scenario.outputs.receivedMedia,
                presented: scenario.outputs.presentedMedia ? ("presented", .presented) : nil),
            configuration, in: directory)
        if scenario.outputs.series != nil { series = SeriesWriter(try directory.create("series.csv")) }
        if scenario.outputs.packets {
            packets = PacketsWriter(try directory.create("packets.csv"))
            flows = RunOutputs.flows(configuration)
        }
        if configuration.taps.units {
            units = UnitsWriter(
                try directory.create("units.csv"), receivers: configuration.receivers.map(\.id),
                substreams: configuration.substreamIDs)
        }
        if configuration.taps.events {
            events = EventsWriter(try directory.create("events.jsonl"), nodes: configuration.nodeIDs)
        }
        if configuration.taps.exchanges {
            exchanges = ExchangesWriter(try directory.create("exchanges.csv"), nodes: configuration.nodeIDs)
        }
        for (point, path) in RunOutputs.capturePoints(scenario, configuration) {
            let writer = try CaptureWriter(path: directory.prepare(path))
            try writer.writeSessionAnnouncement(description)
            captures[point] = writer
        }
    }

    /// Each session at each receiver.
    private static func flows(_ configuration: WorldConfiguration) -> [PacketsWriter.Flow] {
        configuration.receivers.indices.flatMap { receiver in
            (0..<configuration.sessionCount).map { session in
                PacketsWriter.Flow(
                    flow: configuration.flowID(session: session, receiver: receiver),
                    receiver: configuration.receivers[receiver].id)
            }
        }
    }

    /// The files that a run writes here, by their paths in its directory.
    package static func paths(_ scenario: ExperimentScenario, _ configuration: WorldConfiguration) -> [String] {
        var paths = ["session.sdp"] + MediaOutputs.paths(scenario, configuration)
        if scenario.outputs.series != nil { paths.append("series.csv") }
        if scenario.outputs.packets { paths.append("packets.csv") }
        if scenario.outputs.units { paths.append("units.csv") }
        if configuration.taps.events { paths.append("events.jsonl") }
        if configuration.taps.exchanges { paths.append("exchanges.csv") }
        return paths + capturePoints(scenario, configuration).map(\.path)
    }

    private static func capturePoints(
        _ scenario: ExperimentScenario, _ configuration: WorldConfiguration
    ) -> [(point: CapturePoint, path: String)] {
        var points: [(CapturePoint, String)] = []
        if scenario.capture.sender { points.append((.sender, "capture/sender.pcap")) }
        let receivers = configuration.receivers
        if scenario.capture.receiver {
            for (index, receiver) in receivers.enumerated() {
                let name = receivers.count == 1 ? "receiver" : "receiver-\(RunDirectory.fileName(receiver.id))"
                points.append((.receiver(index), "capture/\(name).pcap"))
            }
        }
        if scenario.capture.links {
            for (index, id) in configuration.linkIDs.enumerated() {
                let name = "link-\(RunDirectory.fileName(id))"
                points.append((.link(index, isFarEnd: false), "capture/\(name)-in.pcap"))
                points.append((.link(index, isFarEnd: true), "capture/\(name)-out.pcap"))
            }
        }
        return points
    }

    /// Writes one effect.
    ///
    /// - Throws: ``SystemError`` of a capture; other files tell of a failure when they are closed.
    package func take(_ output: WorldOutput, of world: borrowing World) throws(SystemError) {
        switch output {
        case .captured(let packet, let point, let at):
            try captures[point]?.write(
                session.frame(of: packet), payload: world.payload(of: packet),
                originalSum: world.originalSum(of: packet), at: at)
        case .begun, .sentMedia, .releasedMedia, .presented: media.take(output, of: world)
        case .packet(let record): write(record)
        case .unit(let record): units?.append(record)
        case .exchange(let record): exchanges?.append(record)
        case .logical(let event, let node, let at): events?.append(event, node: node, at: at.nanoseconds)
        case .sample(let at): sample(world, at)
        }
    }

    /// Closes everything.
    ///
    /// - Throws: the first failure, ``SystemError``.
    package func close() throws {
        try media.close()
        try series?.close()
        try packets?.close()
        try units?.close()
        try events?.close()
        try exchanges?.close()
        for writer in captures.values { try writer.close() }
    }

    private func sample(_ world: borrowing World, _ at: Instant) {
        guard let series else { return }
        let values = world.seriesValues()
        if columns.isEmpty {
            columns = values.map { SeriesWriter.Column(entity: $0.entity, metric: $0.metric, unit: $0.unit) }
        }
        for (column, value) in zip(columns, values) {
            if let number = value.value { series.append(at: at.nanoseconds, column, number) }
        }
    }

    /// A loss on a shared link is a row for every receiver.
    private func write(_ record: PacketRecord) {
        guard let packets else { return }
        let count = configuration.sessionCount
        for index in stride(from: record.session, to: flows.count, by: count)
        where record.receiver == nil || record.receiver == index / count {
            packets.append(flows[index], record)
        }
    }
}
