import Timebase
import Wire

/// Of a stream whose headers may be damaged, says which to believe: a jump has to be confirmed by the packet behind it
/// (RFC 3550 §A.1).
struct HeaderDoubt: Sendable {
    /// The latest header believed, and when it came.
    private var latest: (sequenceNumber: UInt16, timestamp: UInt32, arrival: LocalInstant)?
    private var check = SequenceCheck()
    private let clockRate: Int64
    private let farthestNumber: Int64

    private static let farthestTime: Int64 = 30

    /// - Parameters:
    ///   - clockRate: of the timestamps, Hz.
    ///   - reach: by how much an interleaver moves sequence numbers.
    init(clockRate: Int64, reach: Int64 = 0) {
        self.clockRate = clockRate
        farthestNumber = SequenceCheck.maximumDropout + reach
    }

    /// Whether a header goes on about where the one before was, or where a packet that had jumped was.
    mutating func believes(_ header: RTPHeader, at now: LocalInstant) -> Bool {
        var isFar = false
        if let latest {
            let step = Int64(Int16(bitPattern: header.sequenceNumber &- latest.sequenceNumber))
            let passed = MediaClock.ticks(now - latest.arrival, rate: clockRate)
            let ticks = Int64(Int32(truncatingIfNeeded: Int64(header.timestamp &- latest.timestamp) &- passed))
            isFar = abs(step) > farthestNumber || abs(ticks) > Self.farthestTime * clockRate
        }
        guard check.take(header.sequenceNumber, isFar: isFar) != .jumps else { return false }
        latest = (header.sequenceNumber, header.timestamp, now)
        return true
    }
}
