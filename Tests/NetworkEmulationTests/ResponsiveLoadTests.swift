import Testing
import Timebase

@testable import NetworkEmulation

/// Sources that send a window of packets a round trip, add a packet to it each round trip and halve it, at most once a
/// round trip, when they learn of a drop or a mark: the additive increase and multiplicative decrease of RFC 5681 §3.1
/// without slow start. They always have something to send; a lost packet is replaced by a new one.
struct ResponsiveLoad {
    struct Source {
        var window = 2.0
        var inFlight = 0
        var next: UInt32 = 0
        /// Signals about packets before this one are of a window that is halved already.
        var recovery: UInt32 = 0
    }

    struct Report {
        var source: UInt16
        var number: UInt32
        var isSignal: Bool
        var time: Int64
    }

    private(set) var server: QueueServer
    private var sources: [Source]
    private let flows: Int
    /// A round trip without waiting, ns, from the link's far end to the packets that the report lets go.
    private let roundTrip: Int64
    var marks: Packet.Marks = []
    /// All reports take the same time, so they are in order.
    private var reports: [Report] = []
    private var firstReport = 0
    private(set) var waits = Histogram()
    private(set) var bits: Int64 = 0
    private(set) var drops = 0
    private var now: Int64 = 0
    private var measuredFrom: Int64 = 0

    /// - Parameter flows: the sources are dealt out to.
    init(_ discipline: QueueDiscipline, sources count: Int, flows: Int, rate: Int64, roundTrip: Int64) {
        server = QueueServer(discipline, rate: rate)
        sources = Array(repeating: Source(), count: count)
        self.flows = flows
        self.roundTrip = roundTrip
    }

    /// - Parameter start: from when on packets that leave are measured.
    mutating func run(until end: Int64, measured start: Int64) {
        measuredFrom = start
        // Sources begin one after the other over a round trip.
        for index in sources.indices {
            let begin = roundTrip * Int64(index) / Int64(sources.count)
            reports.append(Report(source: UInt16(index), number: 0, isSignal: false, time: begin))
            sources[index].inFlight = 1
        }
        while now < end {
            let report = firstReport < reports.count ? reports[firstReport].time : .max
            now = min(server.end, report)
            if server.end <= report { finishPacket() } else { takeReport() }
        }
    }

    private mutating func finishPacket() {
        var done: [Packet] = []
        server.serve(until: now) { done.append($0) }
        for packet in done {
            if now >= measuredFrom {
                bits += Int64(packet.length) * 8
                waits.add(
                    now - packet.sent.nanoseconds - ceiling(bits: Int64(packet.length) * 8, rate: server.rate))
            }
            tell(packet, isSignal: packet.marks.contains(.congestionExperienced))
        }
        tellDrops()
    }

    private mutating func tellDrops() {
        while let drop = server.queue.takeDrop() { signalLoss(drop.packet) }
    }

    private mutating func signalLoss(_ packet: Packet) {
        drops += 1
        tell(packet, isSignal: true)
    }

    private mutating func tell(_ packet: Packet, isSignal: Bool) {
        let time = now + roundTrip
        reports.append(Report(source: UInt16(packet.slot), number: packet.number, isSignal: isSignal, time: time))
    }

    private mutating func takeReport() {
        let report = reports[firstReport]
        firstReport += 1
        if firstReport == 100_000 {
            reports.removeFirst(firstReport)
            firstReport = 0
        }
        let index = Int(report.source)
        sources[index].inFlight -= 1
        if !report.isSignal {
            sources[index].window += 1 / sources[index].window
        } else if report.number >= sources[index].recovery {
            sources[index].window = max(1, sources[index].window / 2)
            sources[index].recovery = sources[index].next
        }
        while sources[index].inFlight < Int(sources[index].window) { send(index) }
    }

    private mutating func send(_ index: Int) {
        var packet = Packet(
            number: sources[index].next, at: Instant(nanoseconds: now), length: 1_500, flow: UInt16(index % flows))
        packet.slot = UInt32(index)
        packet.marks = marks
        sources[index].next += 1
        sources[index].inFlight += 1
        if server.offer(packet) != nil { signalLoss(packet) }
        tellDrops()
    }
}

@Suite("Queues: the waiting time under loads that answer to drops")
struct ResponsiveLoadTests {
    /// A bottleneck, the round trip without waiting and the parameters of CoDel: its interval is the round trip (RFC 8289
    /// §4.3), its target 5 % to 10 % of that (§4.4).
    struct Path: Sendable {
        var rate: Int64
        var roundTrip: Int64
        var target: Int64

        var parameters: CoDelParameters {
            CoDelParameters(target: .milliseconds(target), interval: .milliseconds(roundTrip))
        }

        /// How many sources need one drop an interval to keep to the target.
        ///
        /// n sources share r packets a second with windows of w = r t / n, t being the round trip with the target in it;
        /// each is halved once in w / 2 round trips, which is n / (w t / 2) = 2 n² / (r t²) drops a second. That CoDel
        /// drops once an interval (RFC 8289 §3.3: the law's first step) gives n = t √(r / (2 · interval)).
        var sources: Int {
            let time = Double(roundTrip + target) / 1e3
            let packets = Double(rate) / 12_000
            return Int((time * (packets / (2 * Double(roundTrip) / 1e3)).squareRoot()).rounded())
        }
    }

    static func waits(_ discipline: QueueDiscipline, _ path: Path, sources: Int, flows: Int = 1) -> Histogram {
        var load = ResponsiveLoad(
            discipline, sources: sources * flows, flows: flows, rate: path.rate * Int64(flows),
            roundTrip: path.roundTrip * 1_000_000)
        load.run(until: 15_000_000_000, measured: 5_000_000_000)
        #expect(Double(load.bits) > 0.97 * Double(path.rate * Int64(flows)) * 10, "the link is hardly ever idle")
        return load.waits
    }

    static let paths = [
        Path(rate: 100_000_000, roundTrip: 100, target: 5), Path(rate: 40_000_000, roundTrip: 60, target: 5),
        Path(rate: 40_000_000, roundTrip: 100, target: 10), Path(rate: 100_000_000, roundTrip: 50, target: 5),
    ]

    /// CoDel's state keeps what it knows of the load for the rate of drops that one interval needs; where sources need one
    /// drop an interval it settles at its target.
    @Test("CoDel: the target within 20 %, where the sources need a drop an interval", arguments: paths)
    func codel(path: Path) {
        let mean = (Self.waits(.codel(path.parameters), path, sources: path.sources).mean ?? 0) / 1e6
        #expect(abs(mean / Double(path.target) - 1) < 0.2, "\(path.sources) sources: \(mean) ms")
    }

    /// What it needs to know is found again after each time below the target, so a load that needs many drops an interval
    /// waits longer: RFC 8289's law, not a defect of it here.
    @Test("CoDel: four times the sources, sixteen drops an interval, wait between one and five targets")
    func codelManySources() {
        let path = Self.paths[1]
        let mean = (Self.waits(.codel(path.parameters), path, sources: 4 * path.sources).mean ?? 0) / 1e6
        #expect(mean > Double(path.target) && mean < 5 * Double(path.target), "\(mean) ms")
    }

    /// Each flow is a bundle of sources that has, by turns, a quarter of the link: what CoDel has in the test above.
    @Test("FQ-CoDel: the target within 20 % for four flows of sources that need a drop an interval", arguments: paths)
    func fqCodel(path: Path) {
        let parameters = FQCoDelParameters(codel: path.parameters, key: DrawKey(seed: 1).named("hash"))
        let mean = (Self.waits(.fqCodel(parameters), path, sources: path.sources, flows: 4).mean ?? 0) / 1e6
        #expect(abs(mean / Double(path.target) - 1) < 0.2, "\(path.sources) sources: \(mean) ms")
    }

    @Test("PIE: the target within 20 % for four to eighty sources", arguments: [4, 10, 40, 80], [15, 30] as [Int64])
    func pie(sources: Int, target: Int64) {
        let parameters = PIEParameters(target: .milliseconds(target), key: DrawKey(seed: 1).named("pie"))
        let waits = Self.waits(.pie(parameters), Path(rate: 20_000_000, roundTrip: 50, target: 15), sources: sources)
        let (mean, median) = ((waits.mean ?? 0) / 1e6, Double(waits.quantile(0.5) ?? 0) / 1e6)
        #expect(abs(mean / Double(target) - 1) < 0.2, "\(mean) ms")
        #expect(abs(median / Double(target) - 1) < 0.2, "\(median) ms")
    }

    @Test("marks do what drops do, without a loss")
    func marks() {
        let path = Self.paths[1]
        var parameters = path.parameters
        parameters.ecn = true
        var load = ResponsiveLoad(
            .codel(parameters), sources: path.sources, flows: 1, rate: path.rate, roundTrip: path.roundTrip * 1_000_000)
        load.marks = .ecnCapable
        load.run(until: 15_000_000_000, measured: 5_000_000_000)
        let mean = (load.waits.mean ?? 0) / 1e6
        #expect(abs(mean / Double(path.target) - 1) < 0.2, "\(mean) ms")
        #expect(load.drops == 0 && load.server.queue.marked > 100)
    }
}
