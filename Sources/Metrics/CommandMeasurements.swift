/// What playback commands did to the receivers of a run.
public struct CommandMeasurements: Sendable {
    /// In which order they were to be delivered: "fifo", "causal", "total" or "sequencer".
    public var order: String
    /// Commands that left their nodes.
    public var sent: Int64 = 0
    /// Whether all receivers did the same commands in the same order.
    public var isOneOrder: Bool
    /// From the first receiver that does a command to the last, nanoseconds, of commands that all did.
    public var applicationSpread: Distribution?
    /// The largest less the smallest position of the receivers, nanoseconds, every 10 ms while the program is sent.
    public var positionSpread: Distribution?
    /// The same when the sources stopped.
    public var finalPositionSpreadNanoseconds: Int64?

    public init(order: String, isOneOrder: Bool) {
        self.order = order
        self.isOneOrder = isOneOrder
    }
}
