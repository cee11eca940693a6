import ClockSync
import Timebase

extension ExperimentScenario {
    /// A node's free-running clock.
    public struct Clock: Equatable, Sendable {
        /// At emulated time zero; positive: fast.
        var offset: TimeSpan
        /// Parts per billion; positive: gains.
        public var frequency: Int64
        /// Random walk of the frequency, parts per 10^18 by the square root of a second.
        var wander: Int64 = 0
        /// White noise of the frequency from second to second, parts per 10^18.
        var noise: Int64 = 0
        /// Parts per 10^18 a day, signed.
        var ageing: Int64 = 0
        /// A sine in its frequency, as a room's warmth makes one; nil: none.
        var temperature: Temperature?
        /// By rising time.
        public var steps: [Step] = []

        /// A sine of the frequency that begins at zero, rising.
        struct Temperature: Equatable, Sendable {
            /// Parts per 10^18.
            var amplitude: Int64
            /// More than zero.
            var period: TimeSpan
        }

        /// It jumps, or goes on at another frequency.
        public struct Step: Equatable, Sendable {
            /// From emulated time zero.
            public var at: TimeSpan
            /// Not negative: an oscillator never goes back.
            public var by: TimeSpan
            /// Added to the clock's own from then on, parts per billion.
            public var frequency: Int64
        }

        static let perfect = Clock(offset: .zero, frequency: 0)
    }
}

// MARK: - Declaration

extension ExperimentScenario.Clock {
    private static let most = TimeSpan.seconds(366 * 86_400)
    /// 1,000 ppm.
    private static let mostParts: Int64 = 1_000_000_000_000_000

    static let record = Record<Self>(
        .perfect,
        keys + [
            .key(
                "steps", \.steps, Step.list, "Instants at which it jumps, or goes on at another frequency."
            ).like("[ { at: 20s, by: 5ms } ]")
        ])

    /// One that never jumps.
    static let steady = Record<Self>(.perfect, keys)

    private static let keys: [Field<Self>] =
        [
            .key(
                "offset", \.offset, .time(-most...most), "How far it is off at emulated time zero; positive: fast."
            ).like("35ms"),
            .key(
                "frequency", \.frequency, .frequency(-100_000_000...100_000_000),
                "How much it gains on true time; negative: it loses."),
            .key(
                "wander", \.wander, .parts(.wander, 0...mostParts),
                "How its frequency walks at random: the deviation that a second adds, and the root of n seconds."
            ).like("1 ppb/sqrt(s)"),
            .key(
                "noise", \.noise, .parts(.fineFrequency, 0...mostParts),
                "White noise of its frequency: the deviation from one second to the next."
            ).like("0.1 ppb"),
            .key("ageing", \.ageing, .parts(.ageing, -mostParts...mostParts), "What its frequency gains a day.").like(
                "5 ppb/day"),
            .key(
                "temperature", \.temperature, .optional(Temperature.record.kind()),
                "A sine of its frequency, as warm and cold make it."
            ).like("{ amplitude: 100 ppb, period: 24h }"),
        ]
}

extension ExperimentScenario.Clock.Temperature {
    static let record = Record<Self>(
        Self(amplitude: 0, period: .seconds(86_400)),
        [
            .key(
                "amplitude", \.amplitude,
                .parts(.fineFrequency, -1_000_000_000_000_000...1_000_000_000_000_000),
                "Half of the difference between the highest and the lowest frequency; negative: it falls first."
            ).required(like: "100 ppb"),
            .key(
                "period", \.period, .time(.seconds(1)...ExperimentScenario.durations.upperBound),
                "From one highest frequency to the next."
            ).like("24h"),
        ])
}

extension ExperimentScenario.Clock.Step {
    static let record = Record<Self>(
        Self(at: .zero, by: .zero, frequency: 0),
        [
            .key("at", \.at, .time(.zero...ExperimentScenario.durations.upperBound), "When.").required(like: "20s"),
            .key(
                "by", \.by, .time(.zero...TimeSpan.seconds(86_400)),
                "What it shows more from then on; an oscillator never goes back."
            ).like("5ms"),
            .key(
                "frequency", \.frequency, .frequency(-100_000_000...100_000_000),
                "What is added to its own frequency error from then on, in place of what was added before."
            ).like("3 ppm"),
        ])

    static let list = record.kind().list(most: (1_000, "steps")).checked { steps, reader in
        for (element, pair) in zip((reader.elements ?? []).dropFirst(), zip(steps, steps.dropFirst()))
        where pair.1.at <= pair.0.at {
            element["at"].reportInvalid(expected: "more than the step before: \(Quantity.text(pair.0.at))")
        }
    }
}

// MARK: - Building

extension ExperimentScenario.Clock {
    /// - Parameter key: of the clock's own draws.
    func oscillator(_ key: DrawKey) -> Oscillator {
        Oscillator(
            offset: offset, partsPerBillion: frequency,
            noise: OscillatorNoise(
                white: noise, randomWalk: wander, ageing: ageing, temperature: temperature?.amplitude ?? 0,
                temperaturePeriod: temperature?.period ?? .seconds(86_400), key: key))
    }

    /// What happens to it later.
    var changes: [OscillatorChange] {
        steps.map { OscillatorChange(at: .zero + $0.at, step: $0.by, frequency: $0.frequency * 1_000_000_000) }
    }
}
