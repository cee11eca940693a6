import Timebase
import Wire

/// The RTP side of a stream: sequence numbers and timestamps of what is sent (RFC 3550 §5.1, RFC 2250 §2).
public struct RTPPacketizer: Sendable {
    /// MPEG-2 transport streams (RFC 3551 §6).
    public static let transportStreamPayloadType: UInt8 = 33

    /// Drawn from the key.
    public let ssrc: UInt32
    let payloadType: UInt8
    /// Hz.
    let clockRate: Int64
    /// Drawn from the key.
    public let firstSequenceNumber: UInt16
    /// RTP packets so far.
    public private(set) var packetCount: Int64 = 0
    /// Payload bytes, headers not counted (RFC 3550 §6.4.1).
    public private(set) var octetCount: Int64 = 0
    private var sequenceNumber: UInt16
    private let timestampOffset: UInt32

    /// A stream whose SSRC, first sequence number and timestamp offset are drawn from `key` (RFC 3550 §5.1 wants them
    /// random).
    public init(payloadType: UInt8, clockRate: Int64, key: DrawKey) {
        self.payloadType = payloadType
        self.clockRate = clockRate
        ssrc = UInt32(truncatingIfNeeded: key.draw(0) >> 32)
        firstSequenceNumber = UInt16(truncatingIfNeeded: key.draw(1) >> 48)
        sequenceNumber = firstSequenceNumber
        timestampOffset = UInt32(truncatingIfNeeded: key.draw(2) >> 32)
    }

    /// The timestamp of what is sent `elapsed` after the stream's zero by the sender's clock, rounded to the nearest
    /// tick.
    public func timestamp(_ elapsed: TimeSpan) -> UInt32 {
        UInt32(truncatingIfNeeded: MediaClock.ticks(elapsed, rate: clockRate, .nearest)) &+ timestampOffset
    }

    /// The timestamp of what is so many ticks of the stream's clock after its zero.
    func timestamp(ofTicks ticks: Int64) -> UInt32 { UInt32(truncatingIfNeeded: ticks) &+ timestampOffset }

    /// Writes the header of the next packet, 12 bytes.
    ///
    /// - Parameter elapsed: the sending time after the stream's zero, by the sender's clock.
    mutating func writeHeader(to buffer: UnsafeMutableRawBufferPointer, sentAfter elapsed: TimeSpan) {
        let header = RTPHeader(
            payloadType: payloadType, sequenceNumber: sequenceNumber, timestamp: timestamp(elapsed), ssrc: ssrc)
        header.write(to: buffer)
        sequenceNumber &+= 1
    }

    /// Writes the header of the next packet of a unit, 12 bytes.
    ///
    /// - Parameters:
    ///   - ticks: of the stream's clock, after the stream's zero.
    ///   - marker: what it means is the payload format's (RFC 3550 §5.1).
    mutating func writeHeader(to buffer: UnsafeMutableRawBufferPointer, ticks: Int64, marker: Bool) {
        let header = RTPHeader(
            payloadType: payloadType, sequenceNumber: sequenceNumber,
            timestamp: timestamp(ofTicks: ticks), ssrc: ssrc, marker: marker)
        header.write(to: buffer)
        sequenceNumber &+= 1
    }

    /// How long after the stream's zero a timestamp is, by its clock: the time nearest to `elapsed` of those that share it.
    public func elapsed(ofTimestamp timestamp: UInt32, near elapsed: TimeSpan) -> TimeSpan {
        let expected = MediaClock.ticks(elapsed, rate: clockRate, .nearest)
        let difference = Int32(bitPattern: timestamp &- timestampOffset &- UInt32(truncatingIfNeeded: expected))
        return MediaClock.span(ticks: expected + Int64(difference), rate: clockRate)
    }

    /// Counts a packet that has been sent.
    ///
    /// - Parameter payloadCount: bytes that follow the header.
    mutating func noteSent(payloadCount: Int) {
        packetCount += 1
        octetCount += Int64(payloadCount)
    }
}
