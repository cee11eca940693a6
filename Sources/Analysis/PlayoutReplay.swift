import Metrics
import Receiver
import Timebase
import Wire

/// A receiver that captured streams are played into, to see what it would have made of them.
public struct PlayoutAssumption: Sendable {
    /// As it was asked for: "fixed:60ms".
    public var name: String
    /// For streams with RTP, and for transport streams without.
    public var rtp: ReceiverConfiguration
    /// For transport streams without RTP.
    public var plain: ReceiverConfiguration

    public init(name: String, rtp: ReceiverConfiguration, plain: ReceiverConfiguration) {
        self.name = name
        self.rtp = rtp
        self.plain = plain
    }
}

/// What the receiver made of a stream.
public struct ReplayMeasurements: Sendable {
    /// How the receiver decides when a datagram is released: "fixed".
    public var algorithm: String
    /// Datagrams that came out of the playout buffer.
    public var played: Int64 = 0
    /// After their release.
    public var late: Int64 = 0
    /// Received before, or too old to tell.
    public var duplicates: Int64 = 0
    /// Datagrams that found the playout buffer full.
    public var overflows: Int64 = 0
    /// Times that the buffer was empty when a release was due; a row of them is one.
    public var underruns: Int64 = 0
    /// How long a datagram waited.
    public var delay: Distribution?
    /// How long what still waits at a release will last.
    public var buffer: Distribution?
}

/// Plays a stream's captured arrivals into a receiver's session and playout buffer, whose clock is the capture's.
///
/// What is inside does not change when a datagram is released, so no program is received. A receiver's RTP clock is
/// 90 kHz; other clocks' timestamps are converted, to 11 µs.
final class PlayoutReplay {
    private let configuration: ReceiverConfiguration
    private var session: SessionReceiver
    private var playout: PlayoutBuffer
    private var result: ReplayMeasurements
    /// Stands for every datagram: nobody looks for its bytes.
    private static let packet = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
    private var origin: Instant?
    private var now = LocalInstant(nanoseconds: 0)
    private var delays = Histogram()
    private var buffer = Histogram()
    /// Timestamps have left the bounds in which instants can be computed.
    private var hasRunAway = false

    /// Media time, either way, that timestamps may lead to: 36 years.
    private static let bound: Int128 = 1 << 60

    init(_ assumption: PlayoutAssumption, isRTP: Bool) {
        configuration = isRTP ? assumption.rtp : assumption.plain
        session = SessionReceiver(configuration)
        playout = PlayoutBuffer(configuration)
        result = ReplayMeasurements(algorithm: assumption.name)
    }

    /// Takes an RTP packet.
    ///
    /// - Parameters:
    ///   - number: unwrapped.
    ///   - ticks: of the stream's clock, unwrapped.
    func add(number: Int64, ticks: Int64, clockRate: UInt32, at instant: Instant) {
        let media = Int128(ticks) * 1_000_000_000 / Int128(clockRate)
        guard !hasRunAway, abs(media) < Self.bound else {
            hasRunAway = true
            return
        }
        let timestamp = Int128(ticks) * 90_000 / Int128(clockRate)
        let header = RTPHeader(
            payloadType: 0, sequenceNumber: UInt16(truncatingIfNeeded: number),
            timestamp: UInt32(truncatingIfNeeded: timestamp), ssrc: 0)
        add(header.packet(payload: []).span.bytes, at: instant)
    }

    /// Takes a datagram of transport packets.
    func add(_ payload: RawSpan, at instant: Instant) {
        advance(to: instant)
        if let output = session.handle(Self.packet, payload: payload, at: now) {
            take(output)
        } else {
            while let output = session.pollOutput() { take(output) }
        }
    }

    private func take(_ output: SessionReceiver.Output) {
        switch output {
        case .media(let datagram): if playout.handle(datagram) == .late { result.late += 1 }
        case .discarded(_, .late): result.late += 1
        case .discarded(_, .duplicate): result.duplicates += 1
        case .discarded: break
        }
    }

    /// Serves what is due before an arrival; a capture's time that goes back stands still.
    private func advance(to instant: Instant) {
        let begin = origin ?? instant
        origin = begin
        let next = max(now, LocalInstant(nanoseconds: (instant - begin).nanoseconds))
        serve(until: next)
        now = next
    }

    private func serve(until end: LocalInstant) {
        while playout.nextTimeout <= end, playout.nextTimeout < .distantFuture {
            now = max(now, playout.nextTimeout)
            guard let entry = playout.pollOutput(at: now) else { return }
            result.played += 1
            delays.add((now - entry.arrival).nanoseconds)
            buffer.add(playout.depth(at: now).nanoseconds)
        }
    }

    /// Plays what waits, and begins anew as with another stream: what comes has other timestamps, or another clock.
    func beginPart() {
        serve(until: .distantFuture)
        result.overflows += playout.overflows
        result.underruns += playout.underruns
        session = SessionReceiver(configuration)
        playout = PlayoutBuffer(configuration)
        origin = nil
        now = LocalInstant(nanoseconds: 0)
    }

    /// Plays what waits; nil for a stream whose times no receiver could follow.
    func finish() -> ReplayMeasurements? {
        guard !hasRunAway else { return nil }
        beginPart()
        guard result.played + result.late > 0 else { return nil }
        result.delay = delays.distribution
        result.buffer = buffer.distribution
        return result
    }
}
