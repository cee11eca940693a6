import Metrics
import Timebase
import Wire

/// Brings a stream's packets to what measures time: each by its payload type's own clock rate (RFC 7160), and in parts
/// where timestamps or the capture's clock jump.
///
/// A packet whose rate is not known yet waits, and all behind it, so that each is measured in its turn.
struct RTPTimeline {
    struct Entry: BitwiseCopyable {
        var arrival: StreamTiming.Arrival
        var payloadType: UInt8
        /// The stream began anew with it.
        var beginsPart = false
    }

    /// What is known of a payload type's clock.
    private struct Clock {
        /// Hz, by a description or the type itself.
        var described: UInt32?
        /// Nobody doubts the description.
        var isCertain = false
        /// Hz, once it is decided.
        var rate: UInt32?
        /// It will never be known.
        var isGivenUp = false
        var waiting = 0
        var since = Instant.zero
        var nextEstimate = 64
        var estimate = ClockEstimate.Result.tooLittle
    }

    private(set) var parts: TimelineParts
    private var clocks: [UInt8: Clock] = [:]
    private var waiting: [Entry] = []
    private var currentType: UInt8 = 0xff
    private var currentRate: UInt32 = 0
    /// Packets that are not measured, because the rate of their type was never known.
    private(set) var unmeasured: Int64 = 0
    private(set) var notes: [String] = []

    /// Packets kept at most while a rate is not known.
    private static let limit = 16_384

    init(replay: PlayoutReplay?) { parts = TimelineParts(replay: replay) }

    /// Hz of a type's timestamps; nil while it is not known.
    func rate(of type: UInt8) -> UInt32? { clocks[type]?.rate }
    /// Why nothing tells it.
    func estimate(of type: UInt8) -> ClockEstimate.Result { clocks[type]?.estimate ?? .tooLittle }

    /// Takes a packet that has a time to be played at.
    mutating func add(_ entry: Entry, _ payloads: borrowing PayloadTypes) {
        if entry.payloadType == currentType, waiting.isEmpty { return parts.add(entry, clockRate: currentRate) }
        addOther(entry, payloads)
    }

    @inline(never)
    private mutating func addOther(_ entry: Entry, _ payloads: borrowing PayloadTypes) {
        let type = entry.payloadType
        if clocks[type] == nil { clocks[type] = Self.clock(payloads.record(type)) }
        guard let clock = clocks[type] else { return }
        if clock.isGivenUp {
            unmeasured += 1
            return
        }
        if waiting.isEmpty, let rate = clock.rate {
            (currentType, currentRate) = (type, rate)
            return parts.add(entry, clockRate: rate)
        }
        if waiting.count == Self.limit { finishClocks(payloads, reported: nil) }
        if clock.rate == nil {
            if clock.waiting == 0 { clocks[type]?.since = entry.arrival.instant }
            clocks[type]?.waiting += 1
        }
        waiting.append(entry)
        decideIfDue(type, at: entry.arrival.instant, payloads)
    }

    private static func clock(_ record: PayloadTypes.Record?) -> Clock {
        var clock = Clock()
        guard let record, let encoding = record.encoding else { return clock }
        clock.described = encoding.clockRate
        // Video's and transport streams' clocks are 90 kHz all over the world; the user knows.
        clock.isCertain = record.source == .option || encoding.kind == .video
        if clock.isCertain { clock.rate = encoding.clockRate }
        return clock
    }

    /// Takes over what is said of types later than their first packets.
    mutating func describe(_ payloads: borrowing PayloadTypes) {
        for record in payloads.records where clocks[record.number]?.described == nil {
            guard let old = clocks[record.number], record.encoding != nil else { continue }
            let new = Self.clock(record)
            if let rate = old.rate, rate != new.described {
                notes.append(
                    "described only after its clock was estimated; timing uses the estimate of \(rate) Hz")
            }
            clocks[record.number]?.described = new.described
            if old.rate == nil, new.isCertain { clocks[record.number]?.rate = new.rate }
        }
        flush()
    }
}

// MARK: - Clock rates

extension RTPTimeline {
    private mutating func decideIfDue(_ type: UInt8, at instant: Instant, _ payloads: borrowing PayloadTypes) {
        guard let clock = clocks[type], clock.rate == nil else { return flush() }
        let span = instant - clock.since
        if clock.described != nil {
            // Two seconds show whether timestamps run as described; where packets are many, so many.
            guard clock.waiting >= 512 || clock.waiting >= 64 && span >= .seconds(2) else { return }
            accept(type, payloads)
        } else {
            guard clock.waiting >= clock.nextEstimate, span >= .seconds(4) else { return }
            estimate(type)
            clocks[type]?.nextEstimate = clock.waiting * 2
        }
        flush()
    }

    /// Decides for the described rate, unless the timestamps plainly run at another one.
    private mutating func accept(_ type: UInt8, _ payloads: borrowing PayloadTypes) {
        guard let described = clocks[type]?.described else { return }
        clocks[type]?.rate = described
        let arrivals = waiting.filter { $0.payloadType == type }.map(\.arrival)
        guard let rate = ClockEstimate.contradiction(arrivals, described: described) else { return }
        clocks[type]?.rate = rate
        let record = payloads.record(type)
        let whose = record?.source == .staticType ? "RFC 3551" : "its description"
        let factor = Double(rate) / Double(described)
        let times = factor == factor.rounded() ? "\(Int(factor)) times the rate" : "another rate than the one"
        notes.append(
            "timestamps of \(record?.encoding?.name ?? "payload type \(type)") run at \(times) that \(whose) has: "
                + "\(rate) Hz, not \(described); timing is by the rate at which they run")
    }

    private mutating func estimate(_ type: UInt8) {
        let arrivals = waiting.filter { $0.payloadType == type }.map(\.arrival)
        let estimate = ClockEstimate.estimate(arrivals)
        clocks[type]?.estimate = estimate
        if case .rate(let rate) = estimate { clocks[type]?.rate = rate }
    }

    /// Decides for every type that is not decided, by what there is.
    ///
    /// - Parameter reported: the rate that the sender's reports tell of the stream's main type, Hz.
    private mutating func finishClocks(_ payloads: borrowing PayloadTypes, reported: (type: UInt8, rate: Double)?) {
        for type in clocks.keys.sorted() where clocks[type]?.rate == nil && clocks[type]?.isGivenUp == false {
            if clocks[type]?.described != nil {
                accept(type, payloads)
                continue
            }
            estimate(type)
            if clocks[type]?.rate == nil, let reported, reported.type == type {
                clocks[type]?.rate = ClockEstimate.rates.first {
                    abs(Double($0) - reported.rate) < 0.001 * reported.rate
                }
            }
            if clocks[type]?.rate == nil { clocks[type]?.isGivenUp = true }
        }
        flush()
    }

    /// Measures what need not wait any longer.
    private mutating func flush() {
        guard !waiting.isEmpty else { return }
        var taken = 0
        while taken < waiting.count, let clock = clocks[waiting[taken].payloadType] {
            if let rate = clock.rate {
                (currentType, currentRate) = (waiting[taken].payloadType, rate)
                parts.add(waiting[taken], clockRate: rate)
            } else if clock.isGivenUp {
                unmeasured += 1
            } else {
                break
            }
            taken += 1
        }
        if taken == waiting.count { waiting = [] } else { waiting.removeFirst(taken) }
    }

    /// Ends the stream.
    mutating func finish(_ payloads: borrowing PayloadTypes, reported: (type: UInt8, rate: Double)?) {
        finishClocks(payloads, reported: reported)
        parts.finish()
    }
}
