import ClockSync
import NetworkEmulation
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
        /// A file with its recorded course, on top of which comes all else; nil: none.
        var trace: String?

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
            .key(
                "steps", \.steps, Step.list, "Instants at which it jumps, or goes on at another frequency."
            ).like("[ { at: 20s, by: 5ms } ]"),
            .key(
                "trace", \.trace, .optional(.file),
                "A file of rows time_s,offset_s (or with a header: offset_us, frequency_ppm and so on): a recorded clock, which it follows on top of its other keys but steps."
            ).like("clock.csv"),
        ])
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
                "period", \.period, .time(.seconds(60)...ExperimentScenario.durations.upperBound),
                "From one highest frequency to the next; the frequency changes once a second."
            ).like("24h"),
        ])
}

extension ExperimentScenario.Clock.Step {
    static let record = Record<Self>(
        Self(at: .zero, by: .zero, frequency: 0),
        [
            .key("at", \.at, .time(.zero...ExperimentScenario.durations.upperBound), "When.").required(like: "20s"),
            .key(
                "by", \.by, .time(.zero...TimeSpan.seconds(43_200)),
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
    /// The oscillator, and what happens to it later.
    ///
    /// - Parameters:
    ///   - key: of its own draws.
    ///   - path: where it stands in the scenario.
    /// - Throws: ``ScenarioProblems`` for a trace that cannot be read.
    func mechanism(
        _ key: DrawKey, _ tables: LinkTables, path: String
    ) throws(ScenarioProblems) -> (oscillator: Oscillator, changes: [OscillatorChange]) {
        let steps = steps.map {
            OscillatorChange(at: .zero + $0.at, step: $0.by, frequency: $0.frequency * 1_000_000_000)
        }
        guard let trace else { return (oscillator(key, plus: .zero), steps) }
        switch try tables.clockTrace(trace, path: path + ".trace") {
        case .offsets(let points):
            let course = OscillatorChange.following(points.map { (at: $0.at, offset: $0.offset) }) ?? []
            return (oscillator(key, plus: points.first?.offset ?? .zero), course)
        case .frequencies(let points):
            return (
                oscillator(key, plus: .zero),
                OscillatorChange.following(points.map { (at: $0.at, frequency: $0.frequency) })
            )
        }
    }

    private func oscillator(_ key: DrawKey, plus first: TimeSpan) -> Oscillator {
        Oscillator(
            offset: offset + first, partsPerBillion: frequency,
            noise: OscillatorNoise(
                white: noise, randomWalk: wander, ageing: ageing, temperature: temperature?.amplitude ?? 0,
                temperaturePeriod: temperature?.period ?? .seconds(86_400), key: key))
    }
}
