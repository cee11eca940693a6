import Capture
import Metrics
import Timebase
import Wire

/// Who sends to whom: what UDP flows are told apart by.
struct FlowKey: Hashable {
    var source: SocketAddress
    var destination: SocketAddress

    var reversed: FlowKey { FlowKey(source: destination, destination: source) }
}

/// What may become an RTP stream: packets of one SSRC, until there are enough to tell.
struct RTPCandidate {
    var ssrc: UInt32
    var arrivals: [RTPArrival] = []
    /// Steps from packet to packet that a stream would make: up to 32 numbers forward.
    var forwardSteps = 0
    private var previous: RTPArrival?

    /// Packets held at most.
    static let capacity = 64
    /// What a stream is told by when nothing describes it.
    static let leastSteps = 4
    /// Packets among which the first number is looked for.
    static let opening = 8

    init(ssrc: UInt32) { self.ssrc = ssrc }

    /// Takes a packet; one that does not go on where the one before was begins anew, unless the stream is described: then
    /// it may have been overtaken by many.
    ///
    /// - Returns: bytes of transport packets that are no longer held.
    mutating func add(_ arrival: RTPArrival, isDescribed: Bool) -> Int {
        var released = 0
        if let previous {
            let step = Int16(bitPattern: arrival.sequenceNumber &- previous.sequenceNumber)
            let ticks = Int32(bitPattern: arrival.timestamp &- previous.timestamp)
            // 2^27 ticks: 25 minutes of video's clock, 4.6 hours of telephony's.
            let isNear = abs(Int(step)) <= 32 && abs(Int(ticks)) < 1 << 27
            if !isDescribed, !isNear || arrivals.count == Self.capacity {
                for arrival in arrivals { released += arrival.transportPackets?.count ?? 0 }
                arrivals = []
                forwardSteps = 0
            } else if step > 0 {
                forwardSteps += 1
            }
        }
        previous = arrival
        arrivals.append(arrival)
        return released
    }

    func isStream(isDescribed: Bool, atEnd: Bool) -> Bool {
        if isDescribed { return arrivals.count >= (atEnd ? 1 : Self.opening) }
        return forwardSteps >= Self.leastSteps && (atEnd || arrivals.count >= Self.opening)
    }
}

/// What goes one way between two ports, as far as it has shown.
final class Flow {
    let key: FlowKey
    /// What SDP says comes here.
    var description: MediaDescription?
    var carriage: AnalysisOptions.Carriage?
    /// A DTLS handshake was seen between these ports.
    var isSecure = false
    var isSRT = false
    var streams: [RTPStream] = []
    var candidates: [RTPCandidate] = []
    var transport: UDPTransportStream?
    var srt: [SRTStream] = []

    static let maximumCandidates = 4
    static let maximumStreams = 256

    init(_ key: FlowKey) { self.key = key }

    var isEncrypted: Bool { isSecure || description?.isSecure == true }
    var isMedia: Bool { !streams.isEmpty || transport != nil || description != nil || carriage != nil }
}

/// A transport stream straight in UDP.
final class UDPTransportStream {
    let key: FlowKey
    private(set) var first: Instant
    private var latest: Instant
    private var last: Instant
    private var received: Int64 = 0
    private var rate = RateMeter()
    private var interarrival = Histogram()
    private var meter: TransportStreamMeter
    private let replay: PlayoutReplay?
    private var replayed: ReplayMeasurements?

    init(_ key: FlowKey, packetLength: Int, at instant: Instant, playout: PlayoutAssumption? = nil) {
        self.key = key
        first = instant
        latest = instant
        last = instant
        meter = TransportStreamMeter(packetLength: packetLength)
        replay = playout.map { PlayoutReplay($0, isRTP: false) }
    }

    /// Whether there was enough to tell a transport stream by: five packets in sync, as TR 101 290 wants for sync.
    var isCertain: Bool { meter.measurements.packets >= 5 }

    func add(_ payload: RawSpan, payloadCount: Int, at instant: Instant) {
        if received > 0 { interarrival.add((instant - last).nanoseconds) }
        received += 1
        last = instant
        latest = max(latest, instant)
        rate.add(bytes: payloadCount, at: latest)
        meter.add(payload, at: latest)
        replay?.add(payload, at: latest)
    }

    func finish() {
        meter.finish()
        replayed = replay?.finish()
    }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: key.source, destination: key.destination)
        result.kind = .transportStream
        result.encoding = "MP2T"
        result.first = first
        result.last = latest
        result.received = received
        result.bytes = rate.bytes
        result.bitsPerSecond = rate.bitsPerSecond
        result.interarrival = interarrival.distribution
        result.transportStream = meter.measurements
        result.delayFactor = meter.delayFactor
        result.playout = replayed
        if replay != nil, replayed == nil {
            result.notes.append("no playout: without clock references nothing tells when a datagram is due")
        }
        if let note = meter.indexNote { result.notes.append(note) }
        result.notes.append("UDP does not number its datagrams: loss shows in continuity counters only")
        result.notes.append(
            "no jitter, delay variation and clock drift: without RTP there are no timestamps for each datagram")
        if meter.continuityErrors == 0 {
            result.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(lostMediaPackets: 0, over: latest - first)
        } else {
            result.notes.append("no media loss rate: continuity counters tell that packets are lost, not how many")
        }
        return result
    }
}

/// The data packets of an SRT connection in one direction: labelled, not measured further.
final class SRTStream {
    let key: FlowKey
    let socketID: UInt32
    private(set) var first: Instant
    private var latest: Instant
    private var last: Instant
    private var received: Int64 = 0
    private var rate = RateMeter()
    private var interarrival = Histogram()

    init(_ key: FlowKey, socketID: UInt32, at instant: Instant) {
        self.key = key
        self.socketID = socketID
        first = instant
        latest = instant
        last = instant
    }

    func add(payloadCount: Int, at instant: Instant) {
        if received > 0 { interarrival.add((instant - last).nanoseconds) }
        received += 1
        last = instant
        latest = max(latest, instant)
        rate.add(bytes: payloadCount, at: latest)
    }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: key.source, destination: key.destination)
        result.kind = .srt
        result.first = first
        result.last = latest
        result.received = received
        result.bytes = rate.bytes
        result.bitsPerSecond = rate.bitsPerSecond
        result.interarrival = interarrival.distribution
        result.notes = ["SRT: recognized by its handshake; its data packets are counted only"]
        return result
    }
}
