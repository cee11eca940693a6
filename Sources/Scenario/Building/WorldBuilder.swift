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

    public init(_ scenario: ExperimentScenario, title: String) {
        self.scenario = scenario
        self.title = title
        root = DrawKey(seed: scenario.seed)
    }

    /// The World's configuration.
    ///
    /// - Throws: ``ScenarioProblems`` for a program that cannot be read or made, or not be multiplexed as asked.
    public func configuration() throws(ScenarioProblems) -> WorldConfiguration {
        var program = try ProgramLoader(scenario: scenario, title: title).program()
        program.warnings += warnings(program)
        let planned = try planningProgram() ?? program
        let plan: MultiplexPlan
        do throws(MultiplexPolicy.Refusal) {
            plan = try MultiplexPolicy.plan(planned, scenario.sender)
        } catch {
            throw ScenarioProblems([
                ScenarioProblem(
                    .file(title), path: error.path, value: error.value, "'\(error.value)' cannot be done",
                    expected: error.expected, hint: error.remedy)
            ])
        }
        let interleaving = scenario.sender.interleave.map { InterleavingPolicy.configuration($0, planned, plan) }
        return WorldConfiguration(
            seed: scenario.seed, program: program, plan: plan, carriage: carriage, interleaving: interleaving,
            senderClock: oscillator(scenario.senderClock), forward: links(scenario.forward, "forward"),
            reverse: links(scenario.reverse, "reverse"), receivers: scenario.expandedReceivers.map(receiver),
            taps: taps)
    }

    /// What the multiplex of a long made program is planned on: its first half hour. Its units' sizes follow one plan
    /// from beginning to end, and going through days of them would take longer than the user waits. Should a later unit
    /// come too late after all, the run says so.
    private func planningProgram() throws(ScenarioProblems) -> Program? {
        guard case .substreams(let substreams) = scenario.program, let duration = scenario.duration,
            duration > Self.planningDuration,
            !substreams.contains(where: { if case .trace = $0.source { true } else { false } })
        else { return nil }
        var short = scenario
        short.duration = Self.planningDuration
        return try ProgramLoader(scenario: short, title: title).program()
    }

    private static let planningDuration = TimeSpan.seconds(1_800)

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

    private var carriage: Emulator.Carriage {
        switch scenario.sender.carriage {
        case .tsUDP: .tsUDP
        case .tsRTP: .tsRTP
        }
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

    private func oscillator(_ clock: ExperimentScenario.Clock) -> Oscillator {
        Oscillator(offset: clock.offset, partsPerBillion: clock.frequency)
    }

    private func receiver(_ receiver: ExperimentScenario.Receiver) -> ReceiverNodeConfiguration {
        let delay: TimeSpan
        switch receiver.playout {
        case .fixed(let span): delay = span
        }
        let media = ReceiverConfiguration(
            playoutDelay: delay, latePolicy: receiver.late == .drop ? .drop : .present, hasRTP: carriage.hasRTP)
        // The way back mirrors the delay of the receiver's own links, without impairments.
        let back = receiver.lastLinks.reversed().enumerated().map { index, link in
            let id = "\(receiver.id).first.\(index)"
            return NamedLink(
                id: id,
                LinkConfiguration(
                    loss: .none, rate: nil, queueLimit: .packets(1), delay: DelayModel(delay: link.delay, key: root)))
        }
        return ReceiverNodeConfiguration(
            id: receiver.id, media: media, clock: oscillator(receiver.clock),
            lastLinks: links(receiver.lastLinks, "\(receiver.id).last"), firstReverseLinks: back)
    }

    private func links(_ links: [ExperimentScenario.Link], _ prefix: String) -> [NamedLink] {
        links.enumerated().map { index, link in
            let id = "\(prefix).\(index)"
            let key = root.named("network").named(id)
            let loss: LossModel =
                switch link.loss {
                case nil: .none
                case .bernoulli(let ratio): .bernoulli(BernoulliLoss(Probability(ratio.value), key: key.named("loss")))
                case .gilbertElliott(let ratio, let meanBurst):
                    .gilbertElliott(
                        GilbertElliottLoss(loss: ratio.value, meanBurst: meanBurst, key: key.named("loss")))
                }
            let jitter: QuantileTable? =
                switch link.jitter {
                case nil: nil
                case .normal(let deviation): .normal(deviation: deviation)
                case .uniform(let halfRange): .uniform(halfRange: halfRange)
                }
            let limit: DropTailQueue.Limit =
                switch link.queue {
                case .packets(let count): .packets(count)
                case .bytes(let count): .bytes(count)
                case .time(let span): .time(span)
                }
            return NamedLink(
                id: id,
                LinkConfiguration(
                    loss: loss, rate: link.rate, queueLimit: limit,
                    delay: DelayModel(delay: link.delay, jitter: jitter, key: key.named("jitter"))))
        }
    }
}
