import NetworkEmulation

extension ExperimentScenario.Link {
    /// Packets that travel without delay, and so overtake.
    public struct Reorder: Equatable, Sendable {
        /// Of the packets that may.
        public var share: Ratio
        /// How many packets lie at least from one to the next, 1...1,000; 1: each is by itself.
        public var gap: Int

        /// No packet is early.
        public static let zero = Reorder(share: .zero, gap: 1)
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Reorder {
    static let kind = Kind<Ratio>.ratio.mapped(
        embed: { Self(share: $0, gap: 1) }, extract: { $0.gap == 1 ? $0.share : nil }
    ).or(spaced.kind())

    private static let spaced = Record<Self>(
        .zero,
        [
            .key("share", \.share, .ratio, "The share that overtakes, of the packets that may.")
                .required("a percentage, such as 25%", like: "25%"),
            .key(
                "gap", \.gap, .integer(1...1_000),
                "netem's gap: behind each packet that overtakes, gap - 1 may not."
            ).like("5"),
        ])
}

// MARK: - Building

extension ExperimentScenario.Link.Reorder {
    var mechanism: EarlyPackets { EarlyPackets(share: share.probability, gap: gap) }
}
