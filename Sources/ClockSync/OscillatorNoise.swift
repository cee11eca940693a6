import Timebase

/// How an oscillator's frequency departs from its constant error: y(t) = white noise + random walk + ageing + temperature.
///
/// The departure is constant within each second of true time, from emulated time zero on; there is none before. A second's
/// draws are functions of the second's number alone. Frequencies are parts per 10^18, so that 1 ppb is 10^9.
public struct OscillatorNoise: Hashable, Sendable, BitwiseCopyable {
    /// White frequency noise: the deviation from second to second. Allan deviation after τ seconds: this over √τ.
    public var white: Int64
    /// Random-walk frequency noise: the frequency steps once a second by this times a normal deviate (per √s). Allan
    /// deviation after m seconds: this times √((2m² + 1) / 6m).
    public var randomWalk: Int64
    /// What the frequency gains a day, linearly; signed.
    public var ageing: Int64
    /// The amplitude of a sine that begins at zero, rising, at emulated time zero; signed.
    public var temperature: Int64
    /// The sine's period, more than zero.
    public var temperaturePeriod: TimeSpan
    private let whiteKey: DrawKey
    private let walkKey: DrawKey

    /// - Parameter key: names the oscillator's draws.
    public init(
        white: Int64 = 0, randomWalk: Int64 = 0, ageing: Int64 = 0, temperature: Int64 = 0,
        temperaturePeriod: TimeSpan = .seconds(86_400), key: DrawKey = DrawKey(seed: 0)
    ) {
        precondition(temperaturePeriod > .zero)
        self.white = white
        self.randomWalk = randomWalk
        self.ageing = ageing
        self.temperature = temperature
        self.temperaturePeriod = temperaturePeriod
        whiteKey = key.named("white")
        walkKey = key.named("random walk")
    }

    /// No departure at all.
    public static var none: OscillatorNoise { OscillatorNoise() }

    var isNone: Bool { white == 0 && randomWalk == 0 && ageing == 0 && temperature == 0 }

    /// The step of the random walk with which a second begins; none with the first.
    func walk(into second: Int64) -> Int64 { second > 0 ? Self.normal(walkKey, second, randomWalk) : 0 }

    /// What a second's frequency departs by, beside the random walk.
    func departure(in second: Int64) -> Int128 {
        var sum: Int128 = white == 0 ? 0 : Int128(Self.normal(whiteKey, second, white))
        // Both are taken in the second's middle.
        if ageing != 0 { sum += Int128(ageing) * Int128(2 * second + 1) / 172_800 }
        if temperature != 0 {
            let half = Int128(2 * second + 1) * 500_000_000 % Int128(temperaturePeriod.nanoseconds)
            let turns = Double(Int64(half)) / Double(temperaturePeriod.nanoseconds)
            sum += Int128((Double(temperature) * Self.sine(turns: turns)).rounded(.toNearestOrAwayFromZero))
        }
        return sum
    }

    private static func normal(_ key: DrawKey, _ second: Int64, _ deviation: Int64) -> Int64 {
        guard deviation != 0 else { return 0 }
        let tail = (Double(key.draw(second) >> 11) + 0.5) * 0x1p-53
        return Int64(
            (NormalDistribution.deviate(upperTail: tail) * Double(deviation)).rounded(.toNearestOrAwayFromZero))
    }

    /// sin(2π turns) for 0 ≤ turns < 1, within 1e-15, by + − × alone.
    private static func sine(turns: Double) -> Double {
        // The first quarter's sine serves all four.
        let half = turns < 0.5 ? turns : turns - 0.5
        let x = 6.283_185_307_179_586 * (half <= 0.25 ? half : 0.5 - half)
        var (term, sum) = (x, x)
        for order in stride(from: 2.0, through: 20.0, by: 2.0) {
            term *= -x * x / (order * (order + 1))
            sum += term
        }
        return turns < 0.5 ? sum : -sum
    }
}
