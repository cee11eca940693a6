import Media
import Metrics
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// What the emulator, which knows the truth, notes of one receiver, or of one session at it.
struct ReceiverLedger: Sendable {
    /// By numbers and instants on the wire.
    var quality: StreamQuality
    /// By numbers in the multiplex, where an interleaver makes them differ.
    var streamWindow: DeliveryWindow?
    var late: Int64 = 0
    /// That faults of the receiver's node took.
    var lostAtNode: Int64 = 0
    /// Arrived with a wrong checksum.
    var damaged: Int64 = 0
    var duplicates: Int64 = 0
    var used: Int64 = 0
    /// IP bytes of the datagrams used.
    var usedBytes: Int64 = 0
    var latestDelay: TimeSpan?
    /// What the receiver's clock made of the delays, and how wrong it was; filled once it has ever been wrong.
    private var measuredWhenWrong: (delay: Histogram, error: Histogram)?
    private let errorCuts: [Int64]
    var roundTrip: Histogram
    var playoutDelay: Histogram
    private(set) var leastWaits = LeastWaits()
    var buffer: Histogram
    /// When the first unit of all was presented.
    var firstPresentation: Instant?
    var monitor: TransportStreamMonitor
    /// The number in the multiplex of the datagram that follows the latest one released.
    var nextReleased: Int64 = 0
    var lanes: [Lane] = []
    var pairs: [Pair] = []

    /// One substream.
    struct Lane: Sendable {
        var decoding: DecodingLedger
        var endToEnd: Histogram
        /// Of a call.
        var losses: BurstRatio?
        var freezes: FreezeDetector?
        /// Where something is done about what is missing.
        var concealment: ConcealmentMeter?
        /// The place of the first unit presented on the program's timeline.
        var firstPresentation: TimeSpan?
        /// The unit presented last: its place on the program's timeline, and when.
        var latestPresentation: (media: TimeSpan, at: Instant)?
    }

    /// An audio and a video substream that play together.
    struct Pair: Sendable {
        let audio: Int
        let video: Int
        var meter: LipSyncMeter
    }

    private let mediaStart: Int

    /// - Parameters:
    ///   - receiver: whose it is.
    ///   - session: which of the program's it is about.
    ///   - mediaStart: bytes of a datagram's payload before its media.
    init(_ configuration: WorldConfiguration, receiver: Int, session: Int, mediaStart: Int) {
        self.mediaStart = mediaStart
        let substreams = configuration.program.substreams
        let cuts = configuration.cuts
        monitor = TransportStreamMonitor(
            constantRate: configuration.constantRate, accuracyCuts: cuts[.pcrAccuracy])
        errorCuts = cuts[.oneWayDelayError]
        roundTrip = Histogram(cuts: cuts[.roundTrip])
        playoutDelay = Histogram(cuts: cuts[.playoutDelay])
        buffer = Histogram(cuts: cuts[.buffer])
        if let deinterleaver = configuration.deinterleaver {
            var size = 1_024
            while size < 1_024 + deinterleaver.reach { size *= 2 }
            streamWindow = DeliveryWindow(window: size)
        }
        var received = StreamQuality.Configuration()
        received.knowsDelays = true
        received.clockRate = configuration.clockRate(session)
        received.mediaRate = configuration.constantRate
        // Measured delays begin as the true ones.
        received.delayCuts = cuts[.oneWayDelay] + cuts[.oneWayDelayMeasured]
        received.ipdvCuts = cuts[.ipdv]
        received.pdvCuts = cuts[.pdv]
        quality = StreamQuality(received)
        lanes = substreams.indices.map { Self.lane($0, configuration, receiver: receiver) }
        guard let video = substreams.firstIndex(where: { $0.kind == .video }) else { return }
        for audio in substreams.indices where substreams[audio].kind == .audio {
            pairs.append(Pair(audio: audio, video: video, meter: LipSyncMeter(skewCuts: cuts[.lipSyncSkew])))
        }
    }

    private static func lane(_ index: Int, _ configuration: WorldConfiguration, receiver: Int) -> Lane {
        let isCall = configuration.calls.contains { $0.lane == index }
        let node = configuration.receivers[receiver]
        let kind = configuration.program.substreams[index].kind
        let concealment: Concealment? =
            switch kind {
            case .video: node.pictureConcealment
            case .audio: node.soundConcealment
            case .data: nil
            }
        return Lane(
            decoding: DecodingLedger(
                recordsUnits: configuration.taps.units || isCall || concealment != nil,
                freezes: concealment == .freeze, mayForget: node.media.mayCrash),
            endToEnd: Histogram(cuts: configuration.cuts[.endToEndDelay]), losses: isCall ? BurstRatio() : nil,
            freezes: kind == .video ? FreezeDetector() : nil,
            concealment: concealment.map { ConcealmentMeter($0) })
    }

    /// Delays as the receiver measures them, against the sender's timestamps.
    var oneWayDelayMeasured: Histogram { measuredWhenWrong?.delay ?? quality.delays }
    /// Measured less true delay.
    var oneWayDelayError: Histogram {
        if let measuredWhenWrong { return measuredWhenWrong.error }
        var zeros = Histogram(cuts: errorCuts)
        zeros.add(0, times: quality.delays.count)
        return zeros
    }

    /// Notes a delay before its arrival. While the clocks agree to the nanosecond, as perfect ones do, the measured delays
    /// are the true ones and cost nothing.
    private mutating func noteDelay(_ delay: TimeSpan, measured: TimeSpan) {
        latestDelay = delay
        if measured != delay, measuredWhenWrong == nil { measuredWhenWrong = (oneWayDelayMeasured, oneWayDelayError) }
        measuredWhenWrong?.delay.add(measured.nanoseconds)
        measuredWhenWrong?.error.add((measured - delay).nanoseconds)
    }

    /// Notes a datagram of the program that has come.
    ///
    /// - Parameters:
    ///   - measured: its delay by the two nodes' clocks.
    ///   - streamNumber: its number in the multiplex, where an interleaver makes it differ.
    @inline(__always)
    mutating func note(
        arrivalOf packet: Packet, _ payload: RawSpan, measured: TimeSpan, streamNumber: Int64?, at now: Instant
    ) {
        let delay = now - packet.sent
        noteDelay(delay, measured: measured)
        // The timestamp's place in the header (RFC 3550 §5.1).
        let timestamp = (try? payload.bigEndian(UInt32.self, at: 4)) ?? 0
        quality.arrived(
            StreamArrival(
                at: now, bytes: Int(packet.length), number: Int64(packet.number), timestamp: Int64(timestamp),
                delay: delay, mediaBytes: payload.byteCount - mediaStart))
        if let streamNumber { _ = streamWindow?.add(number: streamNumber) }
    }

    /// Notes how many IP bytes a released datagram has and how long it waited, and how long what still waits will last.
    @inline(__always)
    mutating func note(bytes: Int, waited: TimeSpan, depth: TimeSpan, at now: Instant) {
        used += 1
        usedBytes += Int64(bytes)
        leastWaits.add(waited, at: now)
        playoutDelay.add(waited.nanoseconds)
        buffer.add(depth.nanoseconds)
    }

    /// Notes a release by the datagram's number in the multiplex: bytes between it and the one before may be missing.
    mutating func noteReleased(number: Int64) {
        if number != nextReleased { monitor.noteMissingBytes() }
        nextReleased = number + 1
    }

    /// Nothing more comes.
    ///
    /// - Parameters:
    ///   - sentCount: how many datagrams of the program were sent.
    ///   - spans: of each lane, where its first unit sent begins and its last one ends on the program's timeline: up to
    ///     there what was on screen should have moved.
    ///   - durations: the usual ones of each lane's units.
    mutating func finish(sentCount: Int64, spans: [ClosedRange<TimeSpan>?], durations: [TimeSpan]) {
        quality.finish(sentCount: sentCount)
        streamWindow?.finish(sentCount: sentCount)
        monitor.finish()
        for (lane, span) in spans.enumerated() {
            if let span { finish(lane: lane, span, duration: durations[lane]) }
        }
        for index in pairs.indices {
            guard let audio = spans[pairs[index].audio], let video = spans[pairs[index].video] else { continue }
            pairs[index].meter.finish(audio: audio, video: video)
        }
    }

    /// `span` is where the lane's units that were sent lie on the program's timeline.
    private mutating func finish(lane: Int, _ span: ClosedRange<TimeSpan>, duration: TimeSpan) {
        guard let first = lanes[lane].firstPresentation, let latest = lanes[lane].latestPresentation else { return }
        // A next unit would have been due when the program's timeline had run on to the end.
        lanes[lane].freezes?.finish(at: latest.at + max(.zero, span.upperBound - latest.media))
        lanes[lane].freezes?.noteBlank(first - span.lowerBound, nominal: duration)
    }

    /// A viewer stops what is presented, or goes elsewhere: that is no freeze, and nothing that plays on.
    mutating func interrupt(at now: Instant) {
        for lane in lanes.indices { lanes[lane].freezes?.interrupt(at: now) }
        for index in pairs.indices { pairs[index].meter.interrupt(at: now) }
    }

    /// - Parameter picturesEnd: where the last picture sent by now ends on the program's timeline.
    mutating func present(
        lane: Int, media: TimeSpan, duration: TimeSpan, at now: Instant, picturesEnd: TimeSpan
    ) {
        firstPresentation = firstPresentation ?? now
        lanes[lane].firstPresentation = lanes[lane].firstPresentation ?? media
        lanes[lane].latestPresentation = (media, now)
        lanes[lane].freezes?.add(presentedAt: now, lasting: duration)
        for index in pairs.indices {
            guard pairs[index].audio == lane || pairs[index].video == lane else { continue }
            pairs[index].meter.present(
                pairs[index].audio == lane ? .audio : .video, media: media, duration: duration, at: now,
                picturesEnd: picturesEnd)
        }
    }
}
