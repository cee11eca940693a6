import Metrics

/// A substream that is a call, and what the E-model has to know of it.
public struct CallConfiguration: Sendable {
    /// The substream's index.
    public var lane: Int
    /// As results call it: "g711", "opus".
    public var codec: String
    /// Nil: nobody has said it.
    public var impairment: EquipmentImpairment?

    public init(lane: Int, codec: String, impairment: EquipmentImpairment?) {
        self.lane = lane
        self.codec = codec
        self.impairment = impairment
    }
}
