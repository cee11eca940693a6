import Timebase

/// What one exchange with a time server says of a clock, kept against the oscillator so that it stays true when the clock
/// is adjusted.
struct TimeSample: Sendable, BitwiseCopyable {
    /// The middle of the exchange, by the client's oscillator.
    var middle: FreeInstant
    /// When the reply came, by the client's oscillator.
    var received: FreeInstant
    /// The server's clock minus the client's oscillator, at the middle.
    var offset: TimeSpan
    /// δ: the round trip without the server's hold, at least the clock's resolution.
    var delay: TimeSpan
    /// ε: what reading the clocks and the client's drift during the exchange add (RFC 5905 §8).
    var dispersion: TimeSpan

    /// By how much a clock with this gain on the oscillator is slow, as the sample has it.
    func offset(gain: TimeSpan) -> TimeSpan { offset - gain }
}

/// What a server says of itself.
struct ServerStanding: Sendable, BitwiseCopyable {
    var stratum: UInt8
    /// From the server to its reference, and back.
    var rootDelay: TimeSpan
    var rootDispersion: TimeSpan
    var referenceID: UInt32
}
