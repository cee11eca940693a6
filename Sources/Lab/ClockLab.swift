import Emulator
import Metrics
import Scenario
import Timebase

/// Runs algorithms of clock synchronization over one network, with several asymmetries and seeds, and measures what their
/// clocks do in truth.
///
/// The sender's clock is true; half of the receivers' clocks begin fast and half slow, and gain and lose. Nothing but the
/// algorithm's own messages is sent.
public struct ClockLab: Sendable {
    /// As `clocks.synchronization` takes them: "ntp", "{ cristian: { probes: 1 } }".
    public var algorithms: [String]
    /// By how much the way from a receiver to the sender takes longer than the way to it; negative: shorter.
    public var asymmetries: [TimeSpan]
    /// Each is a run of every algorithm with every asymmetry.
    public var seeds: [UInt64]
    /// How far the receivers' clocks are off at first, alternately fast and slow.
    public var offset = TimeSpan.milliseconds(35)
    /// How much they gain and lose, parts per billion.
    public var frequency: Int64 = 50_000
    /// What the way to a receiver takes at least.
    public var delay = TimeSpan.milliseconds(20)
    /// The mean of what is added to it and to the way back, exponentially distributed; zero: nothing.
    public var jitter = TimeSpan.milliseconds(1)
    /// How long each run lasts.
    public var duration = TimeSpan.seconds(600)
    /// How many receivers there are.
    public var receivers = 4
    /// How many time servers stand at the sender's end, for algorithms that ask any; the sender asks them as well. 0: the
    /// sender is the one server.
    public var servers = 0

    public init(algorithms: [String], asymmetries: [TimeSpan], seeds: [UInt64]) {
        self.algorithms = algorithms
        self.asymmetries = asymmetries
        self.seeds = seeds
    }

    /// How many runs it takes.
    public var runCount: Int { algorithms.count * asymmetries.count * seeds.count }

    /// The scenario of one run, complete.
    ///
    /// - Throws: ``ScenarioProblems`` for an algorithm that is none.
    func scenario(_ algorithm: String, asymmetry: TimeSpan, seed: UInt64) throws -> ExperimentScenario {
        func link(_ delay: TimeSpan) -> String {
            let law = jitter == .zero ? "" : ", jitter: { exponential: { mean: \(Quantity.text(jitter)) } }"
            return "[ { delay: \(Quantity.text(delay))\(law) } ]"
        }
        let clocks = (1...receivers).map { number in
            let sign: Int64 = number.isMultiple(of: 2) ? -1 : 1
            return "{ id: r\(number), clock: { offset: \(Quantity.text(offset * sign)), "
                + "frequency: \(Quantity.text(partsPerBillion: frequency * sign)) } }"
        }
        let text = """
            name: clock-sync
            sender: { carriage: ts-udp }
            duration: 1s
            seed: \(seed)
            program: { substreams: [ { id: data, kind: data, synthetic: { codec: opaque, frame_duration: 1s, unit_size: 100 B } } ] }
            network: { forward: \(link(delay)), reverse: \(link(delay + asymmetry)) }
            clocks: { synchronization: \(algorithm) }
            receivers: [ \(clocks.joined(separator: ", ")) ]
            outputs: { media: none, series: none }
            """
        let document = ScenarioDocument(title: "--algorithms \(algorithm)", text: text)
        let scenario = try document.resolve()
        guard servers > 0, scenario.synchronization.asksServers else { return scenario }
        let list = (1...servers).map { "{ id: s\($0) }" }.joined(separator: ", ")
        return try document.resolve([
            ScenarioSetting(path: "clocks.servers", value: "[ \(list) ]", option: "--servers \(servers)")
        ])
    }

    /// Runs one algorithm over one network.
    ///
    /// - Throws: ``ScenarioProblems``.
    public func run(_ algorithm: String, asymmetry: TimeSpan, seed: UInt64) throws -> ClockLabRun {
        let scenario = try scenario(algorithm, asymmetry: asymmetry, seed: seed)
        var configuration = try WorldBuilder(scenario, title: "--algorithms \(algorithm)").configuration()
        configuration.sendsProgram = false
        configuration.taps.exchanges = true
        configuration.taps.events = false
        var run = ClockLabRun(scenario.synchronization, setting: algorithm, asymmetry: asymmetry, seed: seed)
        var world = World(configuration)
        let end = Instant.zero + duration
        var second = Instant.zero
        while second <= end {
            advance(&world, to: second, &run)
            run.samples += (0...receivers).map {
                ClockLabRun.Sample(
                    at: second, node: $0, error: world.clockError(ofNode: $0, at: second),
                    bound: world.claimedBound(ofNode: $0, at: second))
            }
            second += .seconds(1)
        }
        world.handle(.stopSources, at: end)
        advance(&world, to: .distantFuture, &run)
        run.messages = world.messages
        return run
    }

    /// Serves everything before an instant.
    private func advance(_ world: inout World, to instant: Instant, _ run: inout ClockLabRun) {
        while let next = world.nextTimeout, next < instant {
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                if case .exchange(let record) = output { run.exchanges.append(record) }
            }
        }
    }
}
