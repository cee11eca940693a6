import Timebase

extension ExperimentScenario {
    /// A node's free-running clock.
    struct Clock: Equatable, Sendable {
        /// At emulated time zero; positive: fast.
        var offset: TimeSpan
        /// Parts per billion; positive: gains.
        var frequency: Int64

        static let perfect = Clock(offset: .zero, frequency: 0)
    }
}

extension ExperimentScenario.Clock {
    private static let most = TimeSpan.seconds(366 * 86_400)

    static let record = Record<Self>(
        .perfect,
        [
            .key(
                "offset", \.offset, .time(-most...most), "How far it is off at emulated time zero; positive: fast."
            ).like("35ms"),
            .key(
                "frequency", \.frequency, .frequency(-100_000_000...100_000_000),
                "How much it gains on true time; negative: it loses."),
            .off("wander"),
        ])
}
