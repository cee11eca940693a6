import ClockSync
import Emulator
import Media
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase

/// Makes a World of a scenario.
public struct WorldBuilder {
    let scenario: ExperimentScenario
    /// What problems call the scenario.
    let title: String
    let root: DrawKey

    /// A builder for a scenario that problems call by `title`.
    public init(_ scenario: ExperimentScenario, title: String) {
        self.scenario = scenario
        self.title = title
        root = DrawKey(seed: scenario.seed)
    }

    /// The World's configuration.
    ///
    /// - Throws: ``ScenarioProblems`` for a program that cannot be read or made, or not be multiplexed as asked.
    public func configuration() throws(ScenarioProblems) -> WorldConfiguration {
        try configuration(of: try PreparedProgram(scenario, title: title))
    }

    /// - Parameter prepared: the scenario's own program.
    func configuration(of prepared: PreparedProgram) throws(ScenarioProblems) -> WorldConfiguration {
        var program = prepared.program
        program.warnings += warnings(program)
        let builder = LinkBuilder(title: title, root: root)
        let forward = try builder.links(scenario.forward, "forward", path: "network.forward")
        var receivers: [ReceiverNodeConfiguration] = []
        for one in scenario.expandedReceivers {
            receivers.append(try receiver(one, builder, duplicating: forward.duplicating))
        }
        var configuration = WorldConfiguration(
            seed: scenario.seed, program: program, plan: prepared.plan, carriage: scenario.sender.carriage)
        configuration.senderClock = scenario.senderClock.oscillator(clockKey("sender"))
        configuration.forward = forward.links
        configuration.reverse = try builder.links(scenario.reverse, "reverse", path: "network.reverse").links
        configuration.receivers = receivers
        configuration.taps = taps
        configuration.classes = classes
        configuration.reservation = scenario.sender.reservation?.parameters
        configuration.interleaving = prepared.interleaving
        configuration.sessions = try prepared.substreams.map { plan throws(ScenarioProblems) in
            try sessions(program, plan, builder)
        }
        addChanges(of: scenario.senderClock, node: 0, to: &configuration)
        for (index, receiver) in scenario.expandedReceivers.enumerated() {
            addChanges(of: receiver.clock, node: 1 + index, to: &configuration)
        }
        try SynchronizationBuilder(scenario: scenario, root: root).add(to: &configuration, builder)
        return configuration
    }

    private func clockKey(_ node: String) -> DrawKey { root.named("clocks").named(node) }

    private func addChanges(
        of clock: ExperimentScenario.Clock, node: Int, to configuration: inout WorldConfiguration
    ) {
        configuration.clockChanges += clock.changes.map { .init(node: node, change: $0) }
    }

    /// What the user may not have meant.
    private func warnings(_ program: Program) -> [String] {
        var warnings: [String] = []
        if case .file(let file) = scenario.program, !file.loops, let asked = scenario.duration,
            let length = program.duration, asked - length > .milliseconds(100)
        {
            warnings.append(
                "the file ends after \(Quantity.text(length)), before the duration of \(Quantity.text(asked)): "
                    + "program.loop: true repeats it")
        }
        if !scenario.faults.isEmpty, scenario.synchronization == .none {
            warnings.append("faults are of the clocks' synchronization, and there is none: clocks.synchronization")
        }
        let dated = TimeSpan.milliseconds(20)
        for receiver in scenario.receivers {
            guard scenario.sender.carriage == .tsUDP, scenario.sender.muxRate == .variable,
                case .fixed(let delay) = receiver.playout, delay < dated
            else { continue }
            warnings.append(
                "receivers.\(receiver.id): without RTP, datagrams of a variable-rate stream are dated by the clock "
                    + "references around them, to within 20 ms: a playout of \(Quantity.text(delay)) loses some")
        }
        return warnings
    }

    private var taps: WorldTaps {
        var taps = WorldTaps()
        taps.capturesNodes = scenario.capture.sender || scenario.capture.receiver
        taps.capturesLinks = scenario.capture.links
        taps.media = scenario.outputs.sentMedia || scenario.outputs.receivedMedia
        taps.packets = scenario.outputs.packets
        taps.seriesInterval = scenario.outputs.series
        return taps
    }

    private func receiver(
        _ receiver: ExperimentScenario.Receiver, _ builder: LinkBuilder, duplicating: Int
    ) throws(ScenarioProblems) -> ReceiverNodeConfiguration {
        let delay: TimeSpan
        switch receiver.playout {
        case .fixed(let span): delay = span
        }
        let media = ReceiverConfiguration(
            playoutDelay: delay, latePolicy: receiver.late == .drop ? .drop : .present,
            hasRTP: scenario.sender.carriage.hasRTP)
        let last = try builder.links(
            receiver.lastLinks, "\(receiver.id).last", path: "receivers.\(receiver.id).last_links",
            duplicating: duplicating)
        var node = ReceiverNodeConfiguration(
            id: receiver.id, media: media, clock: receiver.clock.oscillator(clockKey(receiver.id)),
            lastLinks: last.links,
            firstReverseLinks: builder.mirrored(receiver.lastLinks, "\(receiver.id).first"))
        node.media.anchor = receiver.anchor == .senderClock ? .senderClock : .firstArrival
        if receiver.lipSync.correction == .rtcp {
            node.lipSync = LipSyncControl(deadband: receiver.lipSync.deadband, longestStep: receiver.lipSync.step)
        }
        node.takesDamaged = receiver.deliversCorrupted
        node.media.doubtsHeaders = receiver.deliversCorrupted
        return node
    }

    private var classes: ServiceClasses {
        var classes = ServiceClasses()
        classes.program = scenario.sender.classes.program.codePoint
        classes.reports = scenario.sender.classes.reports.codePoint
        classes.programTakesMarks = scenario.sender.ecn
        return classes
    }
}

// MARK: - Sessions of their own

extension WorldBuilder {
    fileprivate func sessions(
        _ program: Program, _ plan: SubstreamPlan, _ builder: LinkBuilder
    ) throws(ScenarioProblems) -> SessionsConfiguration {
        let ids = program.substreams.map(\.id)
        for flow in scenario.flowLinks where !ids.contains(flow.id) {
            throw ScenarioProblems([
                ScenarioProblem(
                    .file(title), path: "network.flows.\(flow.id)", "there is no substream '\(flow.id)'",
                    expected: "one of \(ids.joined(separator: ", "))")
            ])
        }
        var sessions: [SessionsConfiguration.Session] = []
        for substream in program.substreams {
            let name = substream.id
            let serviceClass = scenario.sender.classes.substream(name, kind: substream.kind.name)
            var session = SessionsConfiguration.Session(differentiatedServices: serviceClass.codePoint)
            if let own = scenario.flowLinks.first(where: { $0.id == name }) {
                session.forward = try builder.links(
                    own.forward, "\(name).forward", path: "network.flows.\(name).forward"
                ).links
            }
            session.captureClock = captureClock(of: name)
            sessions.append(session)
        }
        return SessionsConfiguration(plan: plan, sessions: sessions)
    }

    private func captureClock(of name: String) -> Oscillator? {
        guard case .substreams(let substreams) = scenario.program else { return nil }
        return substreams.first { $0.id == name }?.clock?.oscillator(root.named("clocks").named("program").named(name))
    }
}
