import ClockSync
@testable import Emulator
import Metrics
import NetworkEmulation
import Testing
import Timebase

/// Sends a numbered datagram at even intervals of its own clock, and notes how long each answer took by it.
private struct Caller: Agent {
    let period: TimeSpan
    var nextTimeout: LocalInstant
    var asked: [LocalInstant] = []
    /// By the number of the question: how long the answer took, and what the echo's clock showed.
    var answers: [Int: (roundTrip: TimeSpan, echo: LocalInstant)] = [:]
    private var outputs: [AgentOutput] = []

    init(start: LocalInstant, period: TimeSpan) {
        self.period = period
        nextTimeout = start
    }

    mutating func handleTimeout(at now: LocalInstant) {
        guard nextTimeout <= now else { return }
        outputs.append(.send([UInt8(asked.count & 255), UInt8(asked.count >> 8)], flow: 0))
        asked.append(now)
        nextTimeout = nextTimeout + period
    }

    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        let bytes = payload.withUnsafeBytes { Array($0) }
        let number = Int(bytes[0]) | Int(bytes[1]) << 8
        let echo = (2..<10).reduce(Int64(0)) { $0 << 8 | Int64(bytes[$1]) }
        answers[number] = (now - asked[number], LocalInstant(nanoseconds: echo))
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func stop() { nextTimeout = .distantFuture }
}

/// Sends back what comes, and behind it what its own clock shows.
private struct Echo: Agent {
    private var outputs: [AgentOutput] = []
    var nextTimeout: LocalInstant { .distantFuture }

    mutating func handleTimeout(at now: LocalInstant) {}

    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        let time = (0..<8).map { UInt8(truncatingIfNeeded: now.nanoseconds >> (56 - 8 * $0)) }
        outputs.append(.send(payload.withUnsafeBytes { Array($0) } + time, flow: 0))
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func stop() {}
}

/// Adjusts its clock when it first wakes, and notes when it wakes again.
private struct Adjuster: Agent {
    let adjustment: ClockAdjustment
    var nextTimeout = LocalInstant(nanoseconds: 1_000_000_000)
    var woken: [LocalInstant] = []
    private var outputs: [AgentOutput] = []

    init(_ adjustment: ClockAdjustment) { self.adjustment = adjustment }

    mutating func handleTimeout(at now: LocalInstant) {
        guard nextTimeout <= now else { return }
        if woken.isEmpty { outputs.append(.adjust(adjustment)) }
        woken.append(now)
        nextTimeout = woken.count < 2 ? LocalInstant(nanoseconds: 3_000_000_000) : .distantFuture
    }

    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {}
    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
    mutating func stop() {}
}

@Suite("Agents on nodes of their own")
struct AgentTests {
    /// A caller and an echo, each on a node with a clock of its own, over links that the program shares.
    private func configuration(
        seed: UInt64 = 1, loss: Double = 0, jitter: TimeSpan? = nil, caller: Oscillator = Oscillator(),
        echo: Oscillator = Oscillator(), isCalled: Bool = true
    ) throws -> WorldConfiguration {
        let experiment = Experiment(
            duration: .seconds(40),
            forward: [Experiment.link("forward.0", seed: seed, loss: loss, jitter: jitter)],
            reverse: [Experiment.link("reverse.0", seed: seed, loss: loss, jitter: jitter)])
        var configuration = try experiment.configuration()
        guard isCalled else { return configuration }
        configuration.agentNodes = [.init(id: "one", clock: caller), .init(id: "other", clock: echo)]
        let start = caller.reading(at: .zero)
        configuration.agents = [
            .init(id: "caller", node: "one", agent: Caller(start: start, period: .milliseconds(20))),
            .init(id: "echo", node: "other", agent: Echo()),
        ]
        configuration.controlFlows = [
            .init(id: "call", from: "caller", to: "echo", way: ["forward.0"], port: 7),
            .init(id: "answer", from: "echo", to: "caller", way: ["reverse.0"], port: 7),
        ]
        return configuration
    }

    private func run(_ configuration: WorldConfiguration) throws -> (
        caller: Caller, digest: EventDigest, delivered: Int64
    ) {
        var world = World(configuration)
        VirtualTime.run(&world)
        #expect(world.packetsUnderWay == 0)
        let measurements = world.measurements()
        let agent = world.agent("caller") as? Caller ?? Caller(start: .distantFuture, period: .zero)
        return (agent, measurements.digest, measurements.flows[0].delivered)
    }

    @Test("every clock is a node's own: round trips by the caller's, stamps by the echo's")
    func clocks() throws {
        let caller = Oscillator(offset: .milliseconds(-7), partsPerBillion: 100_000)
        let echo = Oscillator(offset: .seconds(3), partsPerBillion: -50_000)
        let result = try run(configuration(caller: caller, echo: echo)).caller
        #expect(result.asked.count > 1_900 && result.answers.count == result.asked.count)
        for (number, answer) in result.answers {
            // 20 ms there and 20 ms back, in which a clock 100 ppm fast gains 4 us.
            #expect((40_003_998...40_004_001).contains(answer.roundTrip.nanoseconds))
            let sent = caller.instant(showing: result.asked[number])
            #expect(answer.echo == echo.reading(at: sent + .milliseconds(20)))
        }
    }

    @Test(
        "loss takes calls and answers with its probability, jitter stays within its range",
        arguments: [1, 2] as [UInt64])
    func impairments(seed: UInt64) throws {
        let result = try run(configuration(seed: seed, loss: 0.1, jitter: .milliseconds(5))).caller
        let (asked, answered) = (Double(result.asked.count), Double(result.answers.count))
        // Each way lets 90 % through.
        #expect(abs(answered - asked * 0.81) < 5 * (asked * 0.81 * 0.19).squareRoot(), "seed \(seed)")
        let trips = result.answers.values.map(\.roundTrip.nanoseconds)
        #expect(trips.allSatisfy { (30_000_000...50_000_000).contains($0) })
        // Of a sum of two uniform delays, each cut from below by the order of packets, a hundredth lies far out.
        #expect((trips.min() ?? 0) < 34_000_000 && (trips.max() ?? 0) > 46_000_000)
    }

    @Test("other people's calls move no packet of the program, and a driver of single steps has the same digest")
    func independence() throws {
        let called = try configuration(loss: 0.05, jitter: .milliseconds(3))
        let result = try run(called)
        let alone = try run(configuration(loss: 0.05, jitter: .milliseconds(3), isCalled: false))
        #expect(alone.delivered > 1_000 && result.delivered == alone.delivered)
        #expect(result.digest != alone.digest)
        var world = World(called)
        while let next = world.nextTimeout {
            world.handleTimeout(at: next - .nanoseconds(1))
            world.handleTimeout(at: next)
            while world.pollOutput() != nil {}
        }
        #expect(world.measurements().digest == result.digest)
    }

    @Test(
        "a deadline is in disciplined time, and moves when the clock is adjusted",
        arguments: [
            (ClockAdjustment.step(.seconds(1)), 2_000_000_000), (.step(.milliseconds(-500)), 3_500_000_000),
            (.slew(.milliseconds(100), rate: 200_000_000), 2_900_000_000), (.frequency(100_000_000_000), 2_818_181_819),
        ] as [(ClockAdjustment, Int64)])
    func adjustment(adjustment: ClockAdjustment, expected: Int64) throws {
        var configuration = try configuration(isCalled: false)
        configuration.agentNodes = [.init(id: "one")]
        configuration.agents = [.init(id: "adjuster", node: "one", agent: Adjuster(adjustment))]
        var world = World(configuration)
        var second: Instant?
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            if second == nil, (world.agent("adjuster") as? Adjuster)?.woken.count == 2 { second = world.now }
        }
        #expect(second?.nanoseconds == expected)
    }
}
