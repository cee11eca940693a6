import Timebase

/// What a receiver's clock has gained on the sender's since the first datagram, from arrivals alone.
///
/// A delay that stays the same is nothing to it: it says by how much later than by the first datagram's delay releases
/// have to be. Datagrams further off than a second say nothing, but of many in a row a clock has jumped: it begins anew
/// with their delay.
struct ClockFollower: Sendable {
    private let method: ClockRecovery
    /// Whether the least delay counts from that of the first window on, and not from the first datagram's.
    private let countsFromWindow: Bool
    private var loop = PhaseLockedLoop()
    private var minimum = WindowMinimum()
    private var line = ReportLine()
    /// Arrival less time in the stream, of the first datagram.
    private var origin: LocalInstant?
    /// By how much later than by the first datagram's delay releases are; positive: the receiver's clock is fast.
    private var skew = TimeSpan.zero

    /// Datagrams in a row that were further off than they may be.
    private var farCount = 0

    private static let farthest = TimeSpan.seconds(1)
    private static let mostFar = 16

    init(_ method: ClockRecovery) { self.init(method, countsFromWindow: false) }

    /// One of a session whose timestamps are captures: datagrams are sent some more, some less behind these, so that the
    /// first one's delay is not the least.
    init(sessionBy method: ClockRecovery) { self.init(method, countsFromWindow: true) }

    private init(_ method: ClockRecovery, countsFromWindow: Bool) {
        self.method = method
        self.countsFromWindow = countsFromWindow
    }

    /// A datagram has come.
    ///
    /// - Parameters:
    ///   - sourceTime: when it was sent, by the sender's clock.
    ///   - arrival: when it came, by the receiver's, without what an interleaver held it for.
    /// - Returns: when what the timestamps give as zero was sent, by the receiver's clock and the first datagram's delay.
    mutating func add(sourceTime: TimeSpan, arrival: LocalInstant) -> LocalInstant {
        let zero = arrival - sourceTime
        guard let origin, farCount < Self.mostFar else {
            self = ClockFollower(method, countsFromWindow: countsFromWindow)
            origin = zero
            return zero
        }
        let delta = zero - origin
        guard abs((delta - skew).nanoseconds) <= Self.farthest.nanoseconds else {
            farCount += 1
            return origin + skew
        }
        farCount = 0
        switch method {
        case .none: break
        case .clockReferences: skew = loop.add(delta, at: arrival)
        case .windowMinimum:
            let least = minimum.add(delta, at: sourceTime)
            skew = countsFromWindow ? minimum.gain : least
        case .senderReports: skew = line.value(at: arrival)
        }
        return origin + skew
    }

    /// A report has come.
    ///
    /// - Parameter sourceTime: when its RTP timestamp was taken, by the sender's clock.
    mutating func add(report sourceTime: TimeSpan, arrival: LocalInstant) {
        line.add(arrival - sourceTime, at: arrival)
    }
}
