import NetworkEmulation

extension ExperimentScenario.Link {
    /// Packets that travel without delay, and so overtake.
    public struct Reorder: Equatable, Sendable {
        /// Of all packets, those that travel without delay.
        public var share: Ratio

        /// No packet is early.
        public static let zero = Reorder(share: .zero)
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Reorder {
    static let kind = Kind<Ratio>.ratio.mapped(embed: { Self(share: $0) }, extract: { $0.share })
}

// MARK: - Building

extension ExperimentScenario.Link.Reorder {
    var mechanism: EarlyPackets { EarlyPackets(share: share.probability) }
}
