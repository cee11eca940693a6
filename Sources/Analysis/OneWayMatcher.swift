import Capture
import Metrics
import Timebase
import Wire

/// What became of a stream between two capture points.
public struct OneWayMeasurements: Sendable {
    /// The stream's id in the receiver's capture; nil when none of it arrived there.
    public var stream: String?
    /// Where its datagrams come from, in the sender's capture.
    public var source: SocketAddress
    /// Where its datagrams go, in the sender's capture.
    public var destination: SocketAddress
    /// The RTP source; nil without RTP.
    public var ssrc: UInt32?
    /// Datagrams in the sender's capture, copies of RTP packets not counted.
    public var sent: Int64 = 0
    /// Those of them that were found in the receiver's capture.
    public var matched: Int64 = 0
    /// Of the lost, those sent before the first or after the last that was matched: there the receiver's capture may
    /// not have run.
    public var lostAtEnds: Int64 = 0
    /// Matched, after one that was sent later (RFC 4737).
    public var reordered: Int64 = 0
    /// Further copies in the receiver's capture.
    public var duplicates: Int64 = 0
    /// Receiver's time less sender's; with the clocks removed, above the lower envelope.
    public var delay: Distribution?
    /// What was taken away for the clocks at the first packet; nil when nothing was.
    public var clockOffset: TimeSpan?
    /// How fast the receiver's capture clock runs against the sender's; positive: fast.
    public var clockDriftPartsPerMillion: Double?
    /// Sentences about what is nil and what to know about the rest.
    public var notes: [String] = []

    /// Those of the datagrams sent that were not found in the receiver's capture.
    public var lost: Int64 { sent - matched }
}

/// A datagram of the sender's capture, and what became of it.
public struct OneWayPacket: Sendable {
    /// The stream's id in the receiver's capture.
    public var stream: String?
    /// From 0 in the order of sending.
    public var number: Int64
    /// When it passed the sender's capture point, by the clock there.
    public var sent: Instant
    /// Whether it was found in the receiver's capture.
    public var isDelivered: Bool
    /// Nil when lost, or when it is not certain which arrival was its own.
    public var arrived: Instant?
    /// Receiver's time less sender's; nil as ``arrived`` is.
    public var delay: TimeSpan?
    /// Whether one that was sent later had come before it (RFC 4737).
    public var isReordered: Bool
}

/// Finds the datagrams of one capture in another by their content, whatever addresses they have there.
struct OneWayMatcher {
    private let sender: DatagramLog
    private let receiver: DatagramLog
    /// For each datagram sent, the receiver's record; -1 when none.
    private var arrivals: [Int32]
    /// Whether it is another copy of an RTP packet.
    private var isCopy: [Bool]
    /// Whether it repeats what was sent before or after, and some of these were lost: which is which cannot be told.
    private var isAmbiguous: [Bool]
    /// By the sender's stream.
    private var duplicates: [Int64]

    private struct Chain {
        /// The earliest datagram of this content that has not been found yet; -1 when all have.
        var first: Int32
        var stream: UInt32
        var sent = 1
        var arrived = 0
        /// Of repeated content some, but not all, arrived once.
        var isAmbiguous: Bool { sent > 1 && sent != arrived }
    }

    init(sender: DatagramLog, receiver: DatagramLog) {
        self.sender = sender
        self.receiver = receiver
        arrivals = Array(repeating: -1, count: sender.records.count)
        isCopy = Array(repeating: false, count: sender.records.count)
        isAmbiguous = isCopy
        duplicates = Array(repeating: 0, count: sender.keys.count)
        match()
    }

    private mutating func match() {
        let isCut = sender.hasCutPayloads || receiver.hasCutPayloads
        func key(_ record: DatagramLog.Record) -> UInt64 { isCut ? record.beginning : record.whole }
        var chains: [UInt64: Chain] = [:]
        var next = [Int32](repeating: -1, count: sender.records.count)
        var last: [UInt64: Int32] = [:]
        for (index, record) in sender.records.enumerated() {
            let content = key(record)
            guard let before = last[content] else {
                chains[content] = Chain(first: Int32(index), stream: record.stream)
                last[content] = Int32(index)
                continue
            }
            // RTP numbers its packets: the same again is a copy. A transport stream may repeat itself.
            if sender.keys[Int(record.stream)].ssrc != nil {
                isCopy[index] = true
            } else {
                next[Int(before)] = Int32(index)
                last[content] = Int32(index)
                chains[content]?.sent += 1
            }
        }
        for (index, record) in receiver.records.enumerated() {
            let content = key(record)
            guard let chain = chains[content] else { continue }
            chains[content]?.arrived += 1
            guard chain.first >= 0 else {
                duplicates[Int(chain.stream)] += 1
                continue
            }
            arrivals[Int(chain.first)] = Int32(index)
            chains[content]?.first = next[Int(chain.first)]
        }
        for (index, record) in sender.records.enumerated() {
            isAmbiguous[index] = chains[key(record)]?.isAmbiguous ?? false
        }
    }

    /// Measures the sender's streams that are media by either capture.
    ///
    /// - Parameters:
    ///   - sent: the streams of the sender's capture.
    ///   - received: those of the receiver's.
    ///   - removesClocks: whether delays are taken above their lower envelope.
    func measure(
        _ sent: [StreamMeasurements], _ received: [StreamMeasurements], removesClocks: Bool,
        each: ((OneWayPacket) -> Void)?
    ) -> [OneWayMeasurements] {
        func names(_ streams: [StreamMeasurements]) -> [DatagramLog.Key: String] {
            Dictionary(streams.map { ($0.logKey, $0.id) }, uniquingKeysWith: { first, _ in first })
        }
        let known = names(sent)
        let ids = names(received)
        var members = [[Int32]](repeating: [], count: sender.keys.count)
        for (index, record) in sender.records.enumerated() where !isCopy[index] {
            members[Int(record.stream)].append(Int32(index))
        }
        var results: [OneWayMeasurements] = []
        for (stream, key) in sender.keys.enumerated() {
            let id = likelyID(members[stream], ids)
            guard id != nil || known[key] != nil else { continue }
            var track = OneWayTrack(key, members[stream].count)
            track.result.stream = id
            track.result.duplicates = duplicates[stream]
            track.result.sent = Int64(members[stream].count)
            for index in members[stream] {
                let arrival = arrivals[Int(index)]
                let isCertain = arrival >= 0 && !isAmbiguous[Int(index)]
                track.add(
                    OneWayTrack.Passage(
                        sent: sender.records[Int(index)].instant, isFound: arrival >= 0,
                        arrived: isCertain ? receiver.records[Int(arrival)].instant : nil, place: arrival))
            }
            results.append(track.finish(removesClocks: removesClocks, each: each))
        }
        return results
    }

    /// The receiver's stream that most of a sender's datagrams are in.
    private func likelyID(_ members: [Int32], _ ids: [DatagramLog.Key: String]) -> String? {
        var counts: [UInt32: Int] = [:]
        for index in members where arrivals[Int(index)] >= 0 {
            counts[receiver.records[Int(arrivals[Int(index)])].stream, default: 0] += 1
        }
        let best = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return best.flatMap { ids[receiver.keys[Int($0.key)]] }
    }
}

/// Measures one stream, datagram by datagram in the order of sending.
private struct OneWayTrack {
    var result: OneWayMeasurements
    private var packets: [Passage] = []

    struct Passage {
        var sent: Int64
        var isFound: Bool
        /// Nil when lost, or when it is not certain which arrival was its own.
        var arrived: Int64?
        /// In the order of arrival.
        var place: Int32
    }

    init(_ key: DatagramLog.Key, _ count: Int) {
        result = OneWayMeasurements(source: key.flow.source, destination: key.flow.destination, ssrc: key.ssrc)
        packets.reserveCapacity(count)
    }

    mutating func add(_ passage: Passage) { packets.append(passage) }

    mutating func finish(removesClocks: Bool, each: ((OneWayPacket) -> Void)?) -> OneWayMeasurements {
        let envelope = envelope()
        let found = packets.indices.filter { packets[$0].isFound }
        let matched = packets.indices.filter { packets[$0].arrived != nil }
        result.matched = Int64(found.count)
        if let first = found.first, let last = found.last {
            result.lostAtEnds = Int64(first + packets.count - 1 - last)
        } else {
            result.notes.append("nothing of it was found in the receiver's capture")
        }
        if matched.count < found.count {
            result.notes.append(
                "\(found.count - matched.count) packets have no delay: they repeat each other, and as some of them were "
                    + "lost it cannot be told which")
        }
        guard let first = matched.first else {
            tell(each, [], nil)
            return result
        }
        let isReordered = reordered(matched)
        noteDrift(envelope)
        let origin = packets[first].sent
        let level = envelope.minimum ?? 0
        let hasDrift = result.clockDriftPartsPerMillion != nil
        let clocks = { (sent: Int64) -> Int64 in
            guard removesClocks else { return 0 }
            return Self.bounded(hasDrift ? envelope.value(at: Self.bounded(sent - origin)) ?? level : level)
        }
        var delays = Histogram()
        for packet in packets {
            if let arrived = packet.arrived { delays.add(arrived - packet.sent - clocks(packet.sent)) }
        }
        result.delay = delays.distribution
        noteClocks(removesClocks, hasDrift, clocks(origin))
        tell(each, isReordered, clocks)
        return result
    }

    private func envelope() -> LowerEnvelope {
        var envelope = LowerEnvelope()
        let points = packets.compactMap { packet in packet.arrived.map { (packet.sent, $0 - packet.sent) } }
        guard let origin = points.first?.0 else { return envelope }
        // Captures are nearly always in order; the envelope wants them so.
        for point in points.sorted(by: { $0.0 < $1.0 }) {
            envelope.add(x: Self.bounded(point.0 - origin), y: Self.bounded(point.1))
        }
        return envelope
    }

    /// Captures may be a century apart, of which sums could not be computed.
    private static func bounded(_ value: Int64) -> Int64 { min(max(value, -1 << 61), 1 << 61) }

    /// For each packet whether it arrived after one that was sent later.
    private mutating func reordered(_ matched: [Int]) -> [Bool] {
        var marks = [Bool](repeating: false, count: packets.count)
        var detector = ReorderDetector()
        for index in matched.sorted(by: { packets[$0].place < packets[$1].place })
        where detector.add(number: Int64(index)) {
            marks[index] = true
            result.reordered += 1
        }
        return marks
    }

    private mutating func noteDrift(_ envelope: LowerEnvelope) {
        var meter = DriftMeter()
        let origin = packets.first { $0.arrived != nil }?.sent ?? 0
        for packet in packets {
            if let arrived = packet.arrived { meter.add(elapsed: packet.sent - origin, delay: arrived - packet.sent) }
        }
        meter.finish()
        guard case .drift(_, let half) = meter.result, let slope = envelope.slope, abs(slope) <= DriftMeter.largest
        else {
            result.notes.append(meter.explanation ?? "no clock drift: delays change by more than clocks do")
            return
        }
        result.clockDriftPartsPerMillion = slope * 1e6
        let error = " ±\(Int64(clamping: (half * 1e6).rounded(.up))) ppm"
        result.notes.append(
            "clock drift by the lower envelope of the delays,\(error) by their scatter; least delays that grow steadily "
                + "would look the same")
    }

    private mutating func noteClocks(_ removed: Bool, _ hasDrift: Bool, _ offset: Int64) {
        if removed {
            result.clockOffset = .nanoseconds(offset)
            result.notes.append(
                "clock offset\(hasDrift ? " and drift" : "") removed by the lower envelope: delays are above the least "
                    + "one, which cannot be told from the offset")
        } else if let least = result.delay?.minimum, least < 0 {
            result.notes.append(
                "negative delays: the capture clocks differ, or the packets went the other way; --remove-clocks takes "
                    + "the difference away")
        }
    }

    private func tell(_ each: ((OneWayPacket) -> Void)?, _ marks: [Bool], _ clocks: ((Int64) -> Int64)?) {
        guard let each else { return }
        for (index, packet) in packets.enumerated() {
            each(
                OneWayPacket(
                    stream: result.stream, number: Int64(index), sent: Instant(nanoseconds: packet.sent),
                    isDelivered: packet.isFound,
                    arrived: packet.arrived.map { Instant(nanoseconds: $0) },
                    delay: packet.arrived.map { .nanoseconds($0 - packet.sent - (clocks?(packet.sent) ?? 0)) },
                    isReordered: index < marks.count && marks[index]))
        }
    }
}

extension StreamMeasurements {
    fileprivate var logKey: DatagramLog.Key {
        DatagramLog.Key(flow: FlowKey(source: source, destination: destination), ssrc: ssrc)
    }
}

extension CaptureAnalysis {
    /// Measures what a receiver's capture holds, and each of its streams against the capture of its sender.
    ///
    /// - Parameters:
    ///   - removesClocks: takes what the two capture clocks differ by out of the delays, as their lower envelope tells.
    ///   - each: told of every datagram sent, stream by stream.
    /// - Throws: ``SystemError``, ``NotACapture``, ``CaptureFilter/Mistake``.
    public init(
        sender: String, receiver: String, options: AnalysisOptions = AnalysisOptions(), removesClocks: Bool = false,
        each: ((OneWayPacket) -> Void)? = nil
    ) throws {
        var sent = DatagramLog()
        var received = DatagramLog()
        let there = try CaptureAnalysis(reading: [sender], options: options) { sent.add($0, payload: $1) }
        self = try CaptureAnalysis(reading: [receiver], options: options) { received.add($0, payload: $1) }
        inputs = there.inputs + inputs
        let matcher = OneWayMatcher(sender: sent, receiver: received)
        oneWay = matcher.measure(there.streams, streams, removesClocks: removesClocks, each: each)
        if sent.hasCutPayloads || received.hasCutPayloads {
            notes.append("packets are cut in a capture: matched by their length and their first 20 bytes")
        }
        let leftOut = sent.leftOut + received.leftOut
        if leftOut > 0 { notes.append("\(leftOut) datagrams beyond 8,388,608 of a capture were not matched") }
    }
}
