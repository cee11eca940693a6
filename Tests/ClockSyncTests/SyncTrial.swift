@testable import ClockSync
import Timebase

/// What clknetsim tells of a node: errors of its disciplined clock, looked at once a second, in seconds and as a number.
struct SyncTrial {
    /// Its statistics begin here: what chrony's tests call the latest time to be synchronized.
    let from: Int64
    /// The errors within which a clock counts as synchronized.
    let limits: (time: Double, frequency: Double)
    /// The first second from which on both errors were within the limits for good.
    private(set) var synchronized: Int64 = 0
    private(set) var maximum = (time: 0.0, frequency: 0.0)
    private var squares = (time: 0.0, frequency: 0.0)
    private var count = 0.0
    private var latest: (second: Int64, error: Double)?
    /// Looks at which the claimed bound was less than the error, and how many there were with a bound.
    private(set) var broken = 0
    private(set) var claimed = 0

    init(from: Int64, limits: (time: Double, frequency: Double)) {
        self.from = from
        self.limits = limits
    }

    /// Looks at a node; to be called every second.
    mutating func look(at node: ClockBench.Node, _ now: Instant, epoch: TimeSpan = .zero) {
        let error = node.clock.error(at: now) - epoch
        let (second, time) = (now.nanoseconds / 1_000_000_000, Double(error.nanoseconds) / 1e9)
        let frequency = latest.map { time - $0.error } ?? 0
        latest = (second, time)
        if abs(time) > limits.time || abs(frequency) > limits.frequency { synchronized = second + 1 }
        if let bound = node.bound(at: now) {
            claimed += 1
            if error.nanoseconds.magnitude > bound.nanoseconds.magnitude { broken += 1 }
        }
        guard second > from else { return }
        maximum = (max(maximum.time, abs(time)), max(maximum.frequency, abs(frequency)))
        squares = (squares.time + time * time, squares.frequency + frequency * frequency)
        count += 1
    }

    var rms: (time: Double, frequency: Double) {
        ((squares.time / count).squareRoot(), (squares.frequency / count).squareRoot())
    }

    var text: String {
        "synchronized \(synchronized) s, max \(maximum.time) \(maximum.frequency), rms \(rms.time) \(rms.frequency), "
            + "bound broken \(broken) of \(claimed)"
    }
}

/// chrony's simulation tests: a client 0.1 s off and 100 ppm fast, a server, and ways of 100 us and exponential 100 us.
struct SyncScenario {
    var seed: UInt64 = 1
    var seconds: Int64 = 10_000
    var offset = TimeSpan.milliseconds(100)
    /// Parts per billion.
    var frequency: Int64 = 100_000
    /// Random-walk frequency noise, parts per 10^18 per √s.
    var wander: Int64 = 1_000_000_000
    /// What all clocks, the servers' too, show at the start beyond emulated time zero.
    var epoch = TimeSpan.zero
    var baseDelay = TimeSpan.microseconds(100)
    var jitter = TimeSpan.microseconds(100)
    /// The servers' clocks.
    var servers = [Oscillator()]
    /// What is added to a datagram's delay; nil: it is lost.
    var more: (_ from: Int, _ to: Int, _ number: Int64, _ at: Instant) -> TimeSpan? = { _, _, _, _ in .zero }
    /// Called every second.
    var disturb: (inout ClockBench) -> Void = { _ in }
    var trial = SyncTrial(from: 210, limits: (1e-3, 5e-4))

    var clock: Oscillator {
        Oscillator(
            offset: epoch + offset, partsPerBillion: frequency,
            noise: OscillatorNoise(randomWalk: wander, key: DrawKey(seed: seed).named("wander")))
    }

    /// Whether a trial keeps within chrony's limits; they are upper ones.
    func passes(_ trial: SyncTrial, rms: (time: Double, frequency: Double) = (3e-4, 1e-5)) -> Bool {
        trial.synchronized <= trial.from && trial.maximum.time <= trial.limits.time
            && trial.maximum.frequency <= trial.limits.frequency && trial.rms.time <= rms.time
            && trial.rms.frequency <= rms.frequency
    }

    func run(_ client: (LocalInstant) -> any Agent) -> (trial: SyncTrial, bench: ClockBench) {
        let chance = Chance("delay", seed: seed)
        let (baseDelay, jitter, more) = (baseDelay, jitter, more)
        var bench = ClockBench(
            client(clock.reading(at: .zero)), clock,
            servers: servers.map { (NTPServer(), Oscillator(offset: $0.offset + epoch)) }
        ) { from, to, number, at in
            more(from, to, number, at).map { baseDelay + $0 + chance.exponential(number, mean: jitter) }
        }
        var trial = trial
        bench.run(until: Instant(nanoseconds: seconds * 1_000_000_000), every: .seconds(1)) { bench in
            trial.look(at: bench.nodes[0], bench.now, epoch: epoch)
            disturb(&bench)
            bench.nodes[0].clock.advance(to: bench.now)
        }
        return (trial, bench)
    }
}
