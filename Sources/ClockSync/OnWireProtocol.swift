import Timebase
import Wire

/// The client's side of the exchanges with one server, with their sanity tests (RFC 5905 §8).
struct OnWireProtocol: Sendable {
    /// A reply that passed.
    struct Reply {
        /// The four timestamps as they were read, T1 moved along with a step of the clock since.
        var exchange: ClockExchange
        var sample: TimeSample
        var standing: ServerStanding
    }

    /// What came of a datagram.
    enum Outcome {
        case accepted(Reply)
        /// A kiss-o'-death with its code, four letters (§7.4).
        case kiss(UInt32)
        case rejected(Fault)
    }

    /// Why a datagram was put aside.
    enum Fault: Sendable {
        /// No NTP packet, or none of a server's.
        case malformed
        /// Test 1: the reply has come before.
        case duplicate
        /// Test 2: it answers no request that is still open.
        case bogus
        /// Test 3: a timestamp is not set, or the reply came before the request was sent.
        case invalidTimestamps
        /// Test 6: the server is not synchronized.
        case unsynchronized
        /// Test 7: it is too far from its reference, or was set after it answered.
        case distant
    }

    private struct Request {
        var stamp: NTPTimestamp
        var read: LocalInstant
        var sent: FreeInstant
        /// ``SteeredClock/stepped`` then.
        var stepped: TimeSpan
    }

    /// Those not yet answered, the latest last. DEVIATION: the RFC knows the latest only, so that no exchange could be
    /// longer than the poll interval.
    private var open: [Request] = []
    /// The transmit timestamp of the latest reply.
    private var latest = NTPTimestamp(rawValue: 0)

    private static let capacity = 8
    /// log2 of the clocks' resolution in seconds: 1.9 ns.
    static let precision: Int8 = -29
    static let resolution = TimeSpan.nanoseconds(2)
    /// Φ: how fast a clock may drift that nobody disciplines, parts per billion (§11.1).
    static let tolerance: Int64 = 15_000
    /// MAXDISP: a server this far from its reference is none (§7.2).
    private static let maximumDispersion = TimeSpan.seconds(16)

    /// A request that leaves now.
    ///
    /// - Parameter poll: log2 of the poll interval in seconds.
    mutating func request(poll: Int8, at now: LocalInstant, _ clock: SteeredClock) -> [UInt8] {
        let stamp = NTPTimestamp(now).set
        let free = clock.free(at: now)
        if open.count == Self.capacity { open.removeFirst() }
        open.append(Request(stamp: stamp, read: now, sent: free, stepped: clock.stepped))
        return NTPPacket(mode: 3, poll: poll, precision: Self.precision, transmitTimestamp: stamp).bytes
    }

    /// Takes a datagram that came on the server's flow.
    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant, _ clock: SteeredClock) -> Outcome {
        guard let packet = try? NTPPacket(parsing: payload), packet.mode == 4 else { return .rejected(.malformed) }
        // What answers an open request is no duplicate, though a server whose clock has not moved on stamps two replies alike.
        guard let index = open.firstIndex(where: { $0.stamp == packet.originTimestamp }) else {
            return .rejected(packet.transmitTimestamp == latest && latest.rawValue != 0 ? .duplicate : .bogus)
        }
        let request = open.remove(at: index)
        latest = packet.transmitTimestamp
        if packet.stratum == 0 { return .kiss(packet.referenceID) }
        if let fault = Self.fault(of: packet) { return .rejected(fault) }
        // Somebody has put the clock back meanwhile.
        if clock.free(at: now) < request.sent { return .rejected(.invalidTimestamps) }
        return .accepted(Self.reply(packet, to: request, flow: flow, at: now, clock))
    }

    private static func fault(of packet: NTPPacket) -> Fault? {
        if packet.receiveTimestamp.rawValue == 0 || packet.transmitTimestamp.rawValue == 0 { return .invalidTimestamps }
        if packet.leapIndicator == 3 || packet.stratum >= 16 { return .unsynchronized }
        let distance =
            NTPShort.span(packet.rootDelay).nanoseconds / 2 + NTPShort.span(packet.rootDispersion).nanoseconds
        // Timestamps are compared by the sign of their difference, across eras.
        let age = Int64(bitPattern: packet.transmitTimestamp.rawValue &- packet.referenceTimestamp.rawValue)
        return distance >= maximumDispersion.nanoseconds || age < 0 ? .distant : nil
    }

    private static func reply(
        _ packet: NTPPacket, to request: Request, flow: Int, at now: LocalInstant, _ clock: SteeredClock
    ) -> Reply {
        let free = clock.free(at: now)
        let elapsed = free - request.sent
        let exchange = ClockExchange(
            flow: flow, requestSent: request.read + (clock.stepped - request.stepped),
            requestReceived: packet.receiveTimestamp.local(near: now),
            replySent: packet.transmitTimestamp.local(near: now), replyReceived: now)
        let hold = exchange.replySent - exchange.requestReceived
        let roundTrip = elapsed + .nanoseconds(scaled(elapsed, by: clock.frequency))
        let middle = FreeInstant(nanoseconds: request.sent.nanoseconds + elapsed.nanoseconds / 2)
        let sample = TimeSample(
            middle: middle, received: free,
            offset: .nanoseconds(exchange.requestReceived.nanoseconds + hold.nanoseconds / 2 - middle.nanoseconds),
            delay: max(roundTrip - hold, resolution),
            dispersion: resolution + span(precision: packet.precision) + elapsed.scaled(partsPerBillion: tolerance))
        let standing = ServerStanding(
            stratum: packet.stratum, rootDelay: NTPShort.span(packet.rootDelay),
            rootDispersion: NTPShort.span(packet.rootDispersion), referenceID: packet.referenceID)
        return Reply(exchange: exchange, sample: sample, standing: standing)
    }

    /// So many parts per 10^12 of a span.
    private static func scaled(_ span: TimeSpan, by parts: Int64) -> Int64 {
        Int64(Int128(span.nanoseconds) * Int128(parts) / 1_000_000_000_000)
    }

    /// 2^precision seconds, rounded up, held to a second.
    private static func span(precision: Int8) -> TimeSpan {
        precision >= 0 ? .seconds(1) : .nanoseconds(1_000_000_000 >> min(62, -Int64(precision)) + 1)
    }
}

extension NTPTimestamp {
    /// The same, or 2^-32 s later where it would be zero, which says that a time is not known.
    var set: NTPTimestamp { rawValue == 0 ? NTPTimestamp(rawValue: 1) : self }
}
