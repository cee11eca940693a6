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
        configuration.forward = forward.links
        configuration.reverse = try builder.links(scenario.reverse, "reverse", path: "network.reverse").links
        configuration.receivers = receivers
        configuration.taps = taps
        configuration.calls = calls
        configuration.classes = classes
        configuration.reservation = scenario.sender.reservation?.parameters
        configuration.playsTogether = scenario.idms
        configuration.interleaving = prepared.interleaving
        configuration.sessions = try prepared.substreams.map { plan throws(ScenarioProblems) in
            try sessions(program, plan, builder)
        }
        try addClocks(builder.tables, to: &configuration)
        try SynchronizationBuilder(scenario: scenario, root: root).add(to: &configuration, builder)
        GroupBuilder(scenario: scenario).add(to: &configuration)
        FaultBuilder(scenario: scenario, root: root).add(to: &configuration)
        try checkCommands(program)
        return configuration
    }

    /// Of a file, only who opens it knows how long it is.
    private func checkCommands(_ program: Program) throws(ScenarioProblems) {
        guard scenario.duration == nil, let length = program.duration else { return }
        var problems: [ScenarioProblem] = []
        for (index, command) in (scenario.commands?.list ?? []).enumerated() {
            problems += command.problems(duration: length).map {
                ScenarioProblem(
                    .file(title), path: "commands.at.\(index).\($0.key)", $0.statement, expected: $0.expected)
            }
        }
        if let agreement = scenario.agreement, agreement.end >= length {
            problems.append(
                ScenarioProblem(
                    .file(title), path: "agreement.at",
                    "the last round ends at \(Quantity.text(agreement.end)), and the program at \(Quantity.text(length))",
                    expected: "an end before that"))
        }
        guard problems.isEmpty else { throw ScenarioProblems(problems) }
    }

    /// The clocks of the sender and of the receivers, which are there already.
    private func addClocks(
        _ tables: LinkTables, to configuration: inout WorldConfiguration
    ) throws(ScenarioProblems) {
        let key = root.named("clocks")
        let (clock, changes) = try scenario.senderClock.mechanism(key.named("sender"), tables, path: "clocks.sender")
        configuration.senderClock = clock
        configuration.clockChanges += changes.map { .init(node: 0, change: $0) }
        for (index, receiver) in scenario.expandedReceivers.enumerated() {
            let path = receiver.clock == scenario.receiverClock ? "clocks.receivers" : "receivers.\(receiver.id).clock"
            let (clock, changes) = try receiver.clock.mechanism(key.named(receiver.id), tables, path: path)
            configuration.receivers[index].clock = clock
            configuration.clockChanges += changes.map { .init(node: 1 + index, change: $0) }
        }
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
        let members = 1 + scenario.expandedReceivers.count
        if let traitors = scenario.agreement?.traitors, members < 3 * traitors + 1 {
            warnings.append(
                "agreement: \(members) nodes promise nothing with \(traitors) "
                    + "\(traitors == 1 ? "traitor" : "traitors"): it takes \(3 * traitors + 1) nodes")
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
        taps.media = scenario.outputs.writesMedia
        taps.presentations = scenario.outputs.presentedMedia
        taps.packets = scenario.outputs.packets
        taps.units = scenario.outputs.units
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
            id: receiver.id, media: media, lastLinks: last.links,
            firstReverseLinks: builder.mirrored(receiver.lastLinks, "\(receiver.id).first"))
        node.media.anchor = receiver.anchor == .senderClock ? .senderClock : .firstArrival
        if receiver.lipSync.correction == .rtcp {
            node.lipSync = LipSyncControl(
                deadband: receiver.lipSync.deadband, longestStep: receiver.lipSync.step,
                takesArrivals: receiver.lipSync.reports == .arrival)
        }
        node.lipSyncProfile = receiver.lipSync.profile.rawValue
        (node.pictureConcealment, node.soundConcealment) = (
            receiver.concealment.ofPictures, receiver.concealment.ofSound
        )
        node.media.clockRecovery = receiver.clockRecovery.mechanism
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
            session.captureClock = try captureClock(of: name, builder.tables)
            sessions.append(session)
        }
        return SessionsConfiguration(plan: plan, sessions: sessions)
    }

    private func captureClock(of name: String, _ tables: LinkTables) throws(ScenarioProblems) -> Oscillator? {
        guard case .substreams(let substreams) = scenario.program,
            let clock = substreams.first(where: { $0.id == name })?.clock
        else { return nil }
        let key = root.named("clocks").named("program").named(name)
        return try clock.mechanism(key, tables, path: "program.substreams.\(name).clock").oscillator
    }
}
