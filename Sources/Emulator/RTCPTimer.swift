import Timebase

/// When a participant sends its reports (RFC 3550 §6.2, §6.3): 5 % of the session's bandwidth shared by all, never
/// more often than every five seconds on average (half of that at first), each interval drawn from half to one and a
/// half times its mean, and reconsidered when it ends.
struct RTCPTimer: Sendable {
    let ssrc: UInt32
    private let isSender: Bool
    private let key: DrawKey
    /// Bytes a second for all reports of the session.
    private let bandwidth: Int64
    private(set) var members = 1
    private var senders: Int
    private var hasSent = false
    /// Mean size of a compound packet in bytes with IP and UDP headers, in 1/16 (RFC 3550 §6.3.3).
    private var scaledMeanSize: Int64
    /// When the latest report was sent; the session's start before the first.
    private(set) var previous: LocalInstant
    private var next: LocalInstant
    private var draws: Int64 = 0
    private(set) var isActive = true

    /// A report's IP length before any has been sent.
    private static let firstGuess: Int64 = 92
    /// Five seconds (RFC 3550 §6.2).
    private static let minimum = TimeSpan.seconds(5)
    /// e − 3/2 in 1/100,000: makes up for what reconsideration adds (RFC 3550 §6.3.1).
    private static let compensation: Int64 = 121_828

    /// - Parameters:
    ///   - sessionBandwidth: of the media, IP bits per second.
    init(
        isSender: Bool, sessionBandwidth: BitRate, key: DrawKey, ssrc: UInt32, start: LocalInstant
    ) {
        self.isSender = isSender
        self.key = key
        self.ssrc = ssrc
        bandwidth = max(1, Int64(sessionBandwidth.bitsPerSecond / 8 / 20))
        scaledMeanSize = Self.firstGuess * 16
        senders = isSender ? 1 : 0
        previous = start
        next = start
        next = start + interval()
    }

    var nextTimeout: LocalInstant { isActive ? next : .distantFuture }

    /// Whether a report is to be sent now; if not, the timer has been set anew.
    mutating func handleTimeout(at now: LocalInstant) -> Bool {
        guard isActive, next <= now else { return false }
        // Reconsideration (§6.3.6): with more members by now, the interval may have grown.
        let due = previous + interval()
        guard due <= now else {
            next = due
            return false
        }
        previous = now
        hasSent = true
        next = now + interval()
        return true
    }

    /// Counts a compound packet sent or received.
    ///
    /// - Parameter payloadBytes: of its datagram, without IP and UDP headers.
    mutating func note(payloadBytes: Int) {
        scaledMeanSize += Int64(payloadBytes + Packet.networkHeaderLength) - scaledMeanSize / 16
    }

    /// The participants known, this one among them.
    mutating func setMembers(_ members: Int, senders: Int) {
        self.members = members
        self.senders = senders
    }

    mutating func stop() { isActive = false }

    private mutating func interval() -> TimeSpan {
        var count = Int64(members)
        var share = (numerator: Int64(1), denominator: Int64(1))
        if senders > 0, 4 * senders <= members {
            share = isSender ? (1, 4) : (3, 4)
            count = Int64(isSender ? senders : members - senders)
        }
        let minimum = hasSent ? Self.minimum : .nanoseconds(Self.minimum.nanoseconds / 2)
        // Size × count / bandwidth, in nanoseconds.
        let fair = (scaledMeanSize * count * share.denominator)
            .scaled(by: 1_000_000_000 / 16, over: bandwidth * share.numerator)
        let mean = max(minimum.nanoseconds, fair)
        let draw = key.draw(draws)
        draws += 1
        let random = mean / 2 + Int64(UInt64(mean).multipliedFullWidth(by: draw).high)
        return .nanoseconds(random.scaled(by: 100_000, over: Self.compensation))
    }
}
