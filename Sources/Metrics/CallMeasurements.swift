import Timebase

/// One direction of a call as one receiver heard it, judged by the ``EModel``.
public struct CallMeasurements: Sendable {
    /// The substream's name.
    public var id = ""
    /// Id of the receiver.
    public var receiver = ""
    /// "g711" or "opus".
    public var codec = ""
    /// What the codec does to speech; nil where nobody has said it, and then there is no rating.
    public var impairment: EquipmentImpairment?
    /// Packets sent, and those of them that were not whole when they were due.
    public var losses = BurstRatio()
    /// Nil where nothing was presented.
    public var delay: Delay?

    /// Mean times from mouth to ear, nanoseconds.
    public struct Delay: Equatable, Sendable {
        /// From the capture of a packet's first sample to its presentation, of packets presented.
        public var mouthToEar: Int64
        /// How long a packet fills.
        public var packetizing: Int64
        /// From a packet's end to its sending, and what a multiplex lets its receiver wait for.
        public var sending: Int64
        /// On the way, of packets that came.
        public var network: Int64
        /// In the playout buffer, by the receiver's clock, of packets that were used.
        public var buffer: Int64

        public init(mouthToEar: Int64, packetizing: Int64, sending: Int64, network: Int64, buffer: Int64) {
            self.mouthToEar = mouthToEar
            self.packetizing = packetizing
            self.sending = sending
            self.network = network
            self.buffer = buffer
        }

        /// What the parts leave: they are means over different packets where some came late.
        public var rest: Int64 { mouthToEar - packetizing - sending - network - buffer }
    }

    /// What is subtracted for delay, and what is left of it all.
    public struct Rating: Equatable, Sendable {
        /// Idd, or Id as simplified.
        public let delayImpairment: Double
        /// R.
        public let rating: Double
        /// MOS, 1...4.5.
        public var meanOpinionScore: Double { EModel.meanOpinionScore(rating) }
    }

    public init() {}

    /// Ie,eff; nil without packets, and where nobody has said what the codec does.
    public var effectiveImpairment: Double? {
        guard let impairment, let loss = losses.loss else { return nil }
        return EModel.effectiveEquipmentImpairment(impairment, loss: loss, burstRatio: losses.value ?? 1)
    }

    /// With the delay term of ITU-T G.107 §7.4.
    public var rating: Rating? { rating(EModel.absoluteDelayImpairment) }
    /// With the delay term that Cole and Rosenbluth simplified.
    public var simplifiedRating: Rating? { rating(EModel.simplifiedDelayImpairment) }

    private func rating(_ impairment: (TimeSpan) -> Double) -> Rating? {
        guard let delay, let effectiveImpairment else { return nil }
        let delayImpairment = impairment(.nanoseconds(delay.mouthToEar))
        return Rating(
            delayImpairment: delayImpairment,
            rating: EModel.rating(delayImpairment: delayImpairment, equipmentImpairment: effectiveImpairment))
    }
}
