/// How receivers played together by what they report (RFC 7272).
public struct DestinationMeasurements: Sendable {
    /// Settings that came to receivers.
    public var settings: Int64
    /// The largest less the smallest position of the receivers, nanoseconds, every 10 ms while the program is sent.
    public var positionSpread: Distribution?
    /// The same when the sources stopped.
    public var finalPositionSpreadNanoseconds: Int64?

    public init(settings: Int64) { self.settings = settings }
}
