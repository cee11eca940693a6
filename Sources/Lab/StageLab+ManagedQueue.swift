import Results
import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    /// CoDel's law is that of sources that answer to drops: of as many as need one drop an interval it keeps the wait at
    /// its target. To those that do not answer it drops ever more often.
    ///
    /// - Parameter flows: each with as many sources and its part of the rate.
    mutating func controlledDelay(
        _ load: QueueLoad, _ codel: ExperimentScenario.Link.Queue.CoDel, _ room: Int, flows: Int
    ) {
        limit(load, room)
        drops(load, codel, room)
        let (interval, target) = (Double(codel.interval.nanoseconds), Double(codel.target.nanoseconds))
        let service = load.service * Double(flows)
        guard target >= 8 * service, Double(room) * load.service > 3 * target else {
            return book.note(
                "the mean wait is not judged: the target is less than eight packets' time, or near the limit")
        }
        // n sources share the rate r with windows of r t / n, t being the round trip with the target in it. Each is halved
        // once in half as many round trips: 2 n² / (r t²) drops a second, of which one an interval makes n this.
        let roundTrip = interval + target
        let sources = max(1, (roundTrip * (1 / service / 2 / interval).squareRoot()).rounded())
        let window = roundTrip / service / sources
        guard Double(packets) * load.service > max(100 * interval, 2 * window * roundTrip) else {
            return book.note("the mean wait is not judged: it takes more packets to settle (--packets)")
        }
        var run = ResponsiveLoad(probe, sources: Int(sources) * flows, flows: flows, codel.interval, from: start)
        run.isMarking = codel.ecn
        run.run(packets: packets, service: load.service, window: window)
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

    /// At three times the rate, which no drops of CoDel's keep up with for long.
    private mutating func limit(_ load: QueueLoad, _ room: Int) {
        let spacing = load.spacing(times: 3)
        var probe = probe
        var most = 0
        for number in 0..<packets {
            let now = start + spacing * Int64(number)
            _ = probe.handle(probe.packet(number, at: now), at: now)
            probe.advance(to: now) { _ in }
            most = max(most, probe.link.occupancy - 1)
        }
        book.add(
            "most packets waiting", .count, asked: Double(room), measured: Double(most), low: 0, high: Double(room),
            .exact)
    }

    /// One flow that does not answer: the first drop comes an interval after the wait has passed the target, the n-th
    /// behind it after 1 + 1 / √2 + … + 1 / √n intervals (RFC 8289 §3.2), each when a packet is next sent.
    private mutating func drops(_ load: QueueLoad, _ codel: ExperimentScenario.Link.Queue.CoDel, _ room: Int) {
        let count = 10
        let (interval, target) = (Double(codel.interval.nanoseconds), Double(codel.target.nanoseconds))
        let behind = (1..<count).map { 1 / Double($0).squareRoot() }
        let due = interval * (1 + behind.reduce(0, +))
        // Half as much again as the link can send, or what fills two thirds of the room meanwhile.
        let excess = min(0.5, Double(room) * load.service / (due + target) / 1.5)
        guard excess * due > 2 * target + 4 * load.service else {
            return book.note("the drops are not judged: the queue is full before there are ten")
        }
        let spacing = load.spacing(times: 1 + excess)
        var probe = probe
        var (above, drops, number): (Instant?, [Instant], Int) = (nil, [], 0)
        while drops.count < count, number < 100 * packets {
            let arrival = start + spacing * Int64(number)
            while probe.link.nextTimeout <= arrival {
                // A packet begins to be sent when the one ahead of it is through.
                let now = probe.link.nextTimeout
                probe.handleTimeout(at: now)
                while let packet = probe.link.pollOutput(at: now) {
                    let begun = now - .nanoseconds(Int64(load.service))
                    if above == nil, (begun - packet.sent).nanoseconds >= codel.target.nanoseconds { above = begun }
                }
                while probe.link.pollDrop() != nil { drops.append(now) }
            }
            _ = probe.handle(probe.packet(number, at: arrival), at: arrival)
            number += 1
        }
        let measured = drops.count < count ? nil : above.map { Double((drops[count - 1] - $0).nanoseconds) }
        book.add(
            "10th drop after the target was passed", .nanoseconds, asked: due, measured: measured ?? -1, low: due - 2,
            high: due + 3 * load.service, .exact)
    }
}

/// Sources that send a window of packets a round trip, add a packet to it each round trip and halve it, at most once a
/// round trip, when they learn of a drop or a mark: the additive increase and multiplicative decrease of RFC 5681 §3.1
/// without slow start. They always have something to send.
struct ResponsiveLoad: ~Copyable {
    private struct Source {
        var window = 1.0
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

    init(_ probe: consuming LinkProbe, sources count: Int, flows: Int, _ roundTrip: TimeSpan, from start: Instant) {
        self.probe = probe
        sources = Array(repeating: Source(), count: count)
        (self.flows, self.roundTrip, self.start) = (flows, roundTrip, start)
        throughByFlow = Array(repeating: 0, count: flows)
    }

    /// - Parameters:
    ///   - service: a packet's time on the link, nanoseconds.
    ///   - window: that each source begins with.
    mutating func run(packets: Int, service: Double, window: Double) {
        let end = start + .nanoseconds(Int64(Double(packets) * service))
        let measured = start + .nanoseconds(Int64(Double(packets / 5) * service))
        for index in sources.indices {
            // One after the other over a round trip.
            let offset = TimeSpan.nanoseconds(roundTrip.nanoseconds / Int64(sources.count) * Int64(index))
            reports.append(Report(source: index, number: 0, isSignal: false, time: start + offset))
            sources[index].inFlight = 1
            sources[index].window = window
        }
        var now = start
        while now < end {
            let report = firstReport < reports.count ? reports[firstReport].time : .distantFuture
            now = max(now, min(probe.link.nextTimeout, report))
            probe.handleTimeout(at: now)
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
        if probe.handle(packet, at: now) != .accepted { tell(packet, isSignal: true, at: now) }
        takeDrops(at: now)
    }
}
