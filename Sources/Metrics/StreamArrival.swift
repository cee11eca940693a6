import Timebase

/// A numbered packet of a stream as it arrives: what a ``StreamQuality`` measures.
@frozen
public struct StreamArrival: Sendable, BitwiseCopyable {
    /// By the clock that the stream is measured with.
    public var instant: Instant
    /// Of the layer at which the stream's rate is counted.
    public var bytes: Int
    /// Its place in the stream, unwrapped.
    public var number: Int64
    /// Its RTP timestamp in ticks, of which the lower 32 bits count; any without RTP, or where delays are not known.
    @usableFromInline var timestamp: Int64
    /// Its one-way delay; any where delays are not known.
    @usableFromInline var delay: TimeSpan
    /// Bytes of media in it, headers not counted; 0 keeps it out of the delay factor.
    @usableFromInline var mediaBytes: Int

    /// The packet that arrives at an instant; what is left out is not known, or not measured.
    @inlinable
    public init(
        at instant: Instant, bytes: Int, number: Int64, timestamp: Int64 = 0, delay: TimeSpan = .zero,
        mediaBytes: Int = 0
    ) {
        self.instant = instant
        self.bytes = bytes
        self.number = number
        self.timestamp = timestamp
        self.delay = delay
        self.mediaBytes = mediaBytes
    }
}
