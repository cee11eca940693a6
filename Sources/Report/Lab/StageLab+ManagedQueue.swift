import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    /// CoDel's law is that of sources that answer to drops: of as many as need one drop an interval it keeps the wait at
    /// its target.
    ///
    /// - Parameter flows: each with as many sources and its part of the rate.
    mutating func responsive(_ load: QueueLoad, _ codel: ExperimentScenario.Link.Queue.CoDel, flows: Int) {
        let (interval, target) = (Double(codel.interval.nanoseconds), Double(codel.target.nanoseconds))
        let service = load.service * Double(flows)
        // n sources share the rate r with windows of r t / n, t being the round trip with the target in it. Each is halved
        // once in half as many round trips: 2 n² / (r t²) drops a second, of which one an interval makes n this.
        let sources = ((interval + target) * (1 / service / 2 / interval).squareRoot()).rounded()
        guard sources >= 2, target > 3 * service else {
            return book.note("the waiting time is not judged: at this rate the target is less than a few packets' time")
        }
        guard Double(packets) * load.service > 100 * interval else {
            return book.note("the waiting time is not judged: too few intervals for \(packets) packets: --packets")
        }
        var run = ResponsiveLoad(
            probe, sources: Int(sources) * flows, flows: flows, roundTrip: codel.interval, start: start)
        run.isMarking = codel.ecn
        run.run(packets: packets, service: load.service)
        book.add(
            "mean wait with \(Int(sources) * flows) sources that answer", .nanoseconds, asked: target,
            measured: run.waited / Double(max(1, run.through)), within: target * 0.3, .settling)
        let all = Double(run.throughByFlow.reduce(0, +))
        for flow in 0..<flows where flows > 1 && all > 0 {
            book.add(
                "share of flow \(flow)", .ratio, asked: 1 / Double(flows),
                measured: Double(run.throughByFlow[flow]) / all, within: 0.05, .settling)
        }
    }
}

/// Sources that send a window of packets a round trip, add a packet to it each round trip and halve it, at most once a
/// round trip, when they learn of a drop or a mark: the additive increase and multiplicative decrease of RFC 5681 §3.1
/// without slow start. They always have something to send.
struct ResponsiveLoad {
    private struct Source {
        var window = 2.0
        var inFlight = 0
        var next = 0
        /// Signals about packets before this one are of a window that is halved already.
        var recovery = 0
    }

    private struct Report {
        var source: Int
        var number: Int
        var isSignal: Bool
        var time: Instant
    }

    private var probe: LinkProbe
    private var sources: [Source]
    private let flows: Int
    private let roundTrip: TimeSpan
    private let start: Instant
    var isMarking = false
    /// All take the same time, so they are in order.
    private var reports: [Report] = []
    private var firstReport = 0
    /// Of packets behind the first fifth, nanoseconds.
    private(set) var waited = 0.0
    private(set) var through = 0
    private(set) var throughByFlow: [Int]

    init(_ probe: LinkProbe, sources count: Int, flows: Int, roundTrip: TimeSpan, start: Instant) {
        self.probe = probe
        sources = Array(repeating: Source(), count: count)
        (self.flows, self.roundTrip, self.start) = (flows, roundTrip, start)
        throughByFlow = Array(repeating: 0, count: flows)
    }

    /// - Parameter service: a packet's time on the link, nanoseconds.
    mutating func run(packets: Int, service: Double) {
        let end = start + .nanoseconds(Int64(Double(packets) * service))
        let measured = start + .nanoseconds(Int64(Double(packets / 5) * service))
        for index in sources.indices {
            // One after the other over a round trip.
            let offset = TimeSpan.nanoseconds(roundTrip.nanoseconds / Int64(sources.count) * Int64(index))
            reports.append(Report(source: index, number: 0, isSignal: false, time: start + offset))
            sources[index].inFlight = 1
        }
        var now = start
        while now < end {
            let report = firstReport < reports.count ? reports[firstReport].time : .distantFuture
            now = max(now, min(probe.link.nextTimeout, report))
            probe.link.handleTimeout(at: now)
            while let packet = probe.link.pollOutput(at: now) {
                if now >= measured {
                    through += 1
                    throughByFlow[Int(packet.flow)] += 1
                    waited += Double((now - packet.sent).nanoseconds) - service
                }
                tell(packet, isSignal: packet.marks.contains(.congestionExperienced), at: now)
            }
            takeDrops(at: now)
            if report <= now { takeReport(at: now) }
        }
    }

    private mutating func takeDrops(at now: Instant) {
        while let drop = probe.link.pollDrop() { tell(drop.packet, isSignal: true, at: now) }
    }

    private mutating func tell(_ packet: Packet, isSignal: Bool, at now: Instant) {
        let report = Report(
            source: Int(packet.slot), number: Int(packet.number), isSignal: isSignal, time: now + roundTrip)
        reports.append(report)
    }

    private mutating func takeReport(at now: Instant) {
        let report = reports[firstReport]
        firstReport += 1
        if firstReport == 100_000 {
            reports.removeFirst(firstReport)
            firstReport = 0
        }
        let index = report.source
        sources[index].inFlight -= 1
        if !report.isSignal {
            sources[index].window += 1 / sources[index].window
        } else if report.number >= sources[index].recovery {
            sources[index].window = max(1, sources[index].window / 2)
            sources[index].recovery = sources[index].next
        }
        while sources[index].inFlight < Int(sources[index].window) { send(index, at: now) }
    }

    private mutating func send(_ index: Int, at now: Instant) {
        var packet = probe.packet(sources[index].next, at: now, flow: UInt16(index % flows))
        packet.slot = UInt32(index)
        if isMarking { packet.marks = .ecnCapable }
        sources[index].next += 1
        sources[index].inFlight += 1
        if probe.link.handle(packet, at: now) != .accepted { tell(packet, isSignal: true, at: now) }
        takeDrops(at: now)
    }
}
