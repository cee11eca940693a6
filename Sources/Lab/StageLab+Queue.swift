import Results
import NetworkEmulation
import Scenario
import Timebase

/// Queues are judged by what they do under load, at the link's rate held constant.
extension StageLab {
    mutating func queue(_ asked: ExperimentScenario.Link) {
        guard case .constant(let rate) = asked.capacity, configuration.rate != nil else {
            return book.note("a queue where none was asked for")
        }
        let load = QueueLoad(rate: rate, bits: asked.overhead.wireBits(length), length: length)
        let room = load.room(asked.queue.limit, at: rate)
        switch asked.queue.discipline {
        case .dropTail, .dropHead: overload(load, room)
        case .codel(let codel): controlledDelay(load, codel, room, flows: 1)
        case .fqCodel(let law): controlledDelay(load, law.codel, room, flows: 2)
        case .pie(let law): unresponsive(load, law.target, room)
        case .priority(let classes): priorities(load, classes, room)
        case .weightedFair(let classes): shares(load, asked, classes)
        }
    }

    // MARK: Without classes

    /// At one and a half times the rate a third is dropped, and the queue fills up to its limit.
    private mutating func overload(_ load: QueueLoad, _ room: Int) {
        let count = max(packets, min(4 * room, 4 * packets))
        let spacing = load.spacing(times: 1.5)
        var (probe, most, through) = (probe, 0, 0)
        for number in 0..<count {
            let now = start + spacing * Int64(number)
            _ = probe.link.handle(probe.packet(number, at: now), at: now)
            probe.advance(to: now) { _ in through += 1 }
            most = max(most, probe.link.occupancy - 1)
        }
        let dropped = count - through - probe.link.occupancy
        let sent = Double(spacing.nanoseconds) * Double(count - 1) / load.service
        let kept = min(Double(count), sent + 1 + Double(room))
        guard Double(count) > 3 * Double(room) else {
            book.note("the limit is not reached by \(Format.count(Int64(count))) packets: --packets")
            return book.exact("packets dropped", .count, asked: Double(count) - kept, measured: Double(dropped))
        }
        book.exact("most packets waiting", .count, asked: Double(room), measured: Double(most))
        guard room > 0 else { return book.note("no packet of the program fits the queue: drops are not judged") }
        book.add(
            "dropped at 150 % load", .ratio, asked: 1 - kept / Double(count), measured: Double(dropped) / Double(count),
            within: 3 / Double(count), .exact)
    }

    /// PIE's integrator settles where the drops are the excess, and the waiting time is its target, within a fifth.
    private mutating func unresponsive(_ load: QueueLoad, _ target: TimeSpan, _ room: Int) {
        let spacing = load.spacing(times: 1.5)
        var (probe, most, waited, through) = (probe, 0, 0.0, 0)
        for number in 0..<packets {
            let now = start + spacing * Int64(number)
            _ = probe.link.handle(probe.packet(number, at: now), at: now)
            probe.advance(to: now) { packet in
                guard Int(packet.number) - first > packets / 4 else { return }
                through += 1
                waited += Double((packet.time - packet.sent).nanoseconds) - load.service
            }
            most = max(most, probe.link.occupancy - 1)
        }
        let goal = Double(target.nanoseconds)
        book.add(
            "most packets waiting", .count, asked: Double(room), measured: Double(most), low: 0, high: Double(room),
            .exact)
        guard spacing * Int64(packets / 4) > .seconds(5) else {
            return book.note("the waiting time is not judged: \(packets) packets take less than 20 s: --packets")
        }
        guard goal > 4 * load.service, goal < Double(room) * load.service * 0.7 else {
            return book.note("the waiting time is not judged: the target is too near to a packet's time or the limit")
        }
        book.add(
            "mean wait at 150 % load", .nanoseconds, asked: goal, measured: waited / Double(max(1, through)),
            within: goal / 5, .settling)
    }

    // MARK: With classes

    /// Every class is offered 60 % of the rate: the first gets it, the next what is left, and nobody waits in the first
    /// for longer than for a packet being sent.
    private mutating func priorities(_ load: QueueLoad, _ classes: [ServiceClass], _ room: Int) {
        let codePoints = classes.map(\.codePoint) + [Self.unclassed(classes)]
        let offer = codePoints.map { (codePoint: $0, load: 0.6) }
        let result = contention(load, offer)
        for (index, name) in (classes.map(\.name) + ["the rest"]).enumerated() {
            book.add(
                "share of \(name), all at 60 % load", .ratio, asked: max(0, min(0.6, 1 - 0.6 * Double(index))),
                measured: result.shares[index], within: 0.01, .settling)
        }
        book.add(
            "longest wait of \(classes.first?.name ?? "the rest")", .nanoseconds, asked: load.service,
            measured: result.longestWaits[0], low: 0, high: load.service + 1, .exact)
    }

    /// Every class is offered twice what it is guaranteed, the rest twice what is left: the shares are the guarantees.
    private mutating func shares(
        _ load: QueueLoad, _ asked: ExperimentScenario.Link, _ classes: [ExperimentScenario.Link.Queue.GuaranteedClass]
    ) {
        let rate = load.rate
        let kept = (1 - asked.reservable.value) * rate
        let guaranteed = classes.reduce(0.0) { $0 + Double($1.rate.bitsPerSecond) }
        let rest = max(rate - guaranteed, kept, 1)
        let weights = classes.map { Double($0.rate.bitsPerSecond) } + [rest]
        let sum = weights.reduce(0, +)
        let rooms = weights.map { weight in
            load.room(asked.queue.limit, at: BitRate(bitsPerSecond: UInt64(max(1, weight))))
        }
        guard (rooms.min() ?? 0) >= 4 else {
            return book.note("shares are not judged: a class has room for less than four packets")
        }
        let codePoints = classes.map(\.serviceClass.codePoint) + [Self.unclassed(classes.map(\.serviceClass))]
        let result = contention(load, zip(codePoints, weights).map { ($0, 2 * $1 / sum) })
        for (index, name) in (classes.map(\.serviceClass.name) + ["the rest"]).enumerated() {
            let share = weights[index] / sum
            book.add(
                "share of \(name), all at 200 % load", .ratio, asked: share, measured: result.shares[index],
                within: 0.01 * share + 3 / Double(packets), .settling)
        }
    }

    private static func unclassed(_ classes: [ServiceClass]) -> UInt8 {
        (0...63 as ClosedRange<UInt8>).first { point in !classes.contains { $0.codePoint == point } } ?? 0
    }

    /// Offers every class packets evenly and tells what they get of the rate, the first tenth of the time left out, and
    /// their longest waits.
    private func contention(
        _ load: QueueLoad, _ offers: [(codePoint: UInt8, load: Double)]
    ) -> (shares: [Double], longestWaits: [Double]) {
        var probe = probe
        var next = offers.indices.map { start + .nanoseconds(Int64($0)) }
        var numbers = offers.map { _ in 0 }
        var (through, longest) = (offers.map { _ in 0 }, offers.map { _ in 0.0 })
        let spacings = offers.map { load.spacing(times: $0.load) }
        var (begin, end): (Instant?, Instant) = (nil, start)
        func take(_ packet: Packet) {
            let flow = Int(packet.flow)
            longest[flow] = max(longest[flow], Double((packet.time - packet.sent).nanoseconds) - load.service)
            if begin != nil { through[flow] += 1 }
        }
        for number in 0..<packets {
            guard let flow = next.indices.min(by: { next[$0] < next[$1] }) else { break }
            end = next[flow]
            probe.advance(to: end, take)
            if number == packets / 10 { begin = end }
            let packet = probe.packet(numbers[flow], at: end, flow: UInt16(flow), codePoint: offers[flow].codePoint)
            _ = probe.link.handle(packet, at: end)
            probe.advance(to: end, take)
            numbers[flow] += 1
            next[flow] += spacings[flow]
        }
        let capacity = Double((end - (begin ?? start)).nanoseconds) / load.service
        return (through.map { capacity > 0 ? Double($0) / capacity : 0 }, longest)
    }
}

/// A link's rate in packets.
struct QueueLoad {
    /// bit/s.
    let rate: Double
    private let bits: UInt64
    private let length: UInt16
    /// What a packet takes to be sent, nanoseconds.
    let service: Double

    init(rate: BitRate, bits: UInt64, length: UInt16) {
        (self.rate, self.bits, self.length) = (Double(rate.bitsPerSecond), bits, length)
        service = Double(bits) / self.rate * 1e9
    }

    /// Between packets at a multiple of the rate.
    func spacing(times load: Double) -> TimeSpan { .nanoseconds(max(1, Int64((service / load).rounded()))) }

    /// How many packets may wait. A limit in time counts what the link layer adds, one in bytes does not.
    func room(_ limit: ExperimentScenario.Link.Queue.Limit, at rate: BitRate) -> Int {
        switch limit {
        case .packets(let count): return count
        case .bytes(let count): return count / Int(length)
        case .time(let span):
            let bytes = Int128(rate.bitsPerSecond) * Int128(span.nanoseconds) / 8_000_000_000
            return Int(clamping: bytes / Int128(bits / 8))
        }
    }
}
