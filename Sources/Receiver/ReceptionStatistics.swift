import Timebase

/// What a receiver reports of one source (RFC 3550 §6.4.1, §A.1, §A.3, §A.8), by its own clock.
public struct ReceptionStatistics: Sendable {
    /// Sequence numbers, unwrapped: the cycles are in the upper bits.
    private var sequence = WrapUnwrapper(bits: 16)
    private var base: Int64 = 0
    private var highest: Int64 = 0
    /// Packets received, duplicates and late ones counted.
    public private(set) var received: Int64 = 0
    private var transit: Int64?
    private let clockRate: Int64
    /// Sixteen times the jitter, in ticks (RFC 3550 §A.8).
    private var scaledJitter: Int64 = 0

    init(clockRate: Int64) { self.clockRate = clockRate }

    var isEmpty: Bool { received == 0 }
    /// Packets sent by the sequence numbers, from the first one received to the highest.
    public var expected: Int64 { isEmpty ? 0 : highest - base + 1 }
    /// The extended highest sequence number received.
    public var extendedHighest: UInt32 { UInt32(truncatingIfNeeded: highest) }
    /// Packets expected less packets received, duplicates counted; clamped to 24 bits, negative with duplicates.
    public var cumulativeLost: Int32 { Int32(max(-0x80_0000, min(0x7f_ffff, expected - received))) }
    /// Interarrival jitter in ticks of the RTP clock.
    public var jitter: UInt32 { UInt32(truncatingIfNeeded: scaledJitter >> 4) }

    /// When the packet came that was counted last, to a tick; nil before the first.
    ///
    /// - Parameter timestamp: the packet's.
    func arrival(ofTimestamp timestamp: UInt32, near now: LocalInstant) -> LocalInstant? {
        guard let transit else { return nil }
        let ticks = MediaClock.ticks(.nanoseconds(now.nanoseconds), rate: clockRate)
        let ago = UInt32(truncatingIfNeeded: ticks &- Int64(timestamp) &- transit)
        return now - MediaClock.span(ticks: Int64(ago), rate: clockRate)
    }

    /// Counts a packet and returns its sequence number, unwrapped.
    public mutating func add(sequenceNumber: UInt16, timestamp: UInt32, at arrival: LocalInstant) -> Int64 {
        let number = sequence.nearest(UInt64(sequenceNumber))
        if received == 0 {
            base = number
            highest = number
        }
        highest = max(highest, number)
        // The wrap follows the highest number, so that a late packet does not drag it back.
        _ = sequence.unwrap(UInt64(UInt16(truncatingIfNeeded: highest)))
        received += 1
        let ticks = MediaClock.ticks(.nanoseconds(arrival.nanoseconds), rate: clockRate)
        let transit = Int64(Int32(truncatingIfNeeded: ticks &- Int64(timestamp)))
        if let before = self.transit {
            let difference = Int64(Int32(truncatingIfNeeded: transit &- before)).magnitude
            scaledJitter += Int64(difference) - ((scaledJitter + 8) >> 4)
        }
        self.transit = transit
        return number
    }
}
