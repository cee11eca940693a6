@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("Ordered delivery to a group")
struct OrderedGroupTests {
    /// A message by its sender's place and number.
    private struct Name: Hashable {
        var sender: Int
        var number: UInt32
    }

    private struct Delivery {
        var member: Int
        var name: Name
        var at: Instant
    }

    /// A random schedule: two messages of each member at times of their own, answers to some as soon as they are
    /// delivered, delays of which every one is its own, and up to a third of all datagrams lost.
    private func run(_ order: OrderedGroup.Order, seed: UInt64, answers: Bool = true) -> GroupDriver {
        let key = DrawKey(seed: seed).named("schedule")
        let count = 3 + Int(key.draw(0) % 2)
        var driver = GroupDriver(ids: (0..<count).map { UInt16($0) }, seed: seed)
        let loss = Probability(Double(key.draw(1) % 1_000) / 3_000)
        driver.way = { _, _ in .init(least: .milliseconds(1), queueing: .milliseconds(40), loss: loss) }
        driver.seat { place, peers, _ in
            let submissions = (0..<2 as Range<Int64>).map { index in
                OrderedGroup.Submission(
                    at: LocalInstant(
                        nanoseconds: Int64(key.draw(10 + Int64(place) * 2 + index) % 200_000_000)),
                    payload: [UInt8(place)])
            }
            return GroupAgent(
                id: UInt16(place), peers: peers,
                parts: [
                    .ordered(
                        .init(
                            order: order, retransmission: .milliseconds(300),
                            submissions: submissions.sorted { $0.at < $1.at }))
                ], start: LocalInstant(nanoseconds: 0))
        }
        if answers {
            driver.onTell = { driver, member, event in
                guard case .logical(let event) = event,
                    case .delivered(let from, let number, let payload) = event.action,
                    payload.count == 1, from != UInt16(member),
                    key.draw(100 + Int64(from) * 16 + Int64(number) * 64 + Int64(member)) % 3 == 0,
                    var agent = driver.agents[member] as? GroupAgent
                else { return }
                _ = agent.submit([UInt8(member), UInt8(from)], at: driver.clocks[member].reading(at: driver.now))
                driver.agents[member] = agent
            }
        }
        driver.run(until: Instant(nanoseconds: 60_000_000_000))
        return driver
    }

    private func deliveries(_ driver: GroupDriver) -> [Delivery] {
        driver.told.compactMap { told in
            guard case .logical(let event) = told.event, case .delivered(let from, let number, _) = event.action
            else { return nil }
            return Delivery(member: told.member, name: Name(sender: Int(from), number: number), at: told.at)
        }
    }

    private func sequences(_ driver: GroupDriver) -> [[Name]] {
        let deliveries = deliveries(driver)
        return driver.ids.indices.map { member in deliveries.filter { $0.member == member }.map(\.name) }
    }

    @Test(
        "a thousand random schedules under loss and delay: all members deliver the same messages in the same order",
        arguments: [OrderedGroup.Order.total, .sequencer])
    func oneOrder(order: OrderedGroup.Order) {
        for seed in 0..<1_000 as Range<UInt64> {
            let sequences = sequences(run(order, seed: seed))
            #expect(sequences.dropFirst().allSatisfy { $0 == sequences[0] }, "seed \(seed)")
            #expect(sequences[0].count >= 2 * sequences.count && Set(sequences[0]).count == sequences[0].count)
        }
    }

    /// What a member had sent or been delivered before it sent a message, and all before that.
    private func isCausal(_ driver: GroupDriver) -> Bool {
        var past: [Name: Set<Name>] = [:]
        var known = [Set<Name>](repeating: [], count: driver.ids.count)
        var delivered = [Set<Name>](repeating: [], count: driver.ids.count)
        var sent = [UInt32](repeating: 0, count: driver.ids.count)
        for told in driver.told {
            guard case .logical(let event) = told.event else { continue }
            switch event.action {
            case .sent where event.text.hasPrefix("message"):
                let name = Name(sender: told.member, number: sent[told.member])
                sent[told.member] += 1
                past[name] = known[told.member]
                known[told.member].insert(name)
            case .delivered(let from, let number, _):
                let name = Name(sender: Int(from), number: number)
                guard delivered[told.member].isSuperset(of: past[name] ?? []) else { return false }
                delivered[told.member].insert(name)
                known[told.member].formUnion((past[name] ?? []).union([name]))
            default: break
            }
        }
        return true
    }

    @Test("a thousand random schedules: causal delivery keeps causal order, and without it that is broken")
    func causal() {
        var broken = 0
        for seed in 0..<1_000 as Range<UInt64> {
            let driver = run(.causal, seed: seed)
            #expect(isCausal(driver), "seed \(seed)")
            let sequences = sequences(driver)
            #expect(sequences.allSatisfy { Set($0) == Set(sequences[0]) && $0.count == sequences[0].count })
            if seed < 100, !isCausal(run(.fifo, seed: seed)) { broken += 1 }
        }
        #expect(broken > 10, "FIFO broke causal order \(broken) times in 100")
    }

    @Test("FIFO keeps each sender's order and loses nothing", arguments: 0..<50 as Range<UInt64>)
    func fifo(seed: UInt64) {
        for sequence in sequences(run(.fifo, seed: seed)) {
            for sender in 0..<3 {
                let numbers = sequence.filter { $0.sender == sender }.map(\.number)
                #expect(numbers == Array(0..<UInt32(numbers.count)) && numbers.count >= 2)
            }
        }
    }

    @Test("total order is the order of Lamport's stamps, ties by id", arguments: 0..<50 as Range<UInt64>)
    func stamps(seed: UInt64) {
        let driver = run(.total, seed: seed)
        var stamps: [Name: LogicalStamp] = [:]
        for message in driver.sent {
            guard let message = try? GroupMessage(parsing: message.bytes.span.bytes),
                case .ordered(let ordered) = message.body, case .data(let number, _, _) = ordered.content
            else { continue }
            stamps[Name(sender: Int(message.stamp.node), number: number)] = message.stamp
        }
        let order = sequences(driver)[0].compactMap { stamps[$0] }
        #expect(order.count >= 6)
        #expect(zip(order, order.dropFirst()).allSatisfy { $0.precedes($1) })
    }

    @Test(
        "vector stamps agree with what truly happened before what",
        arguments: [OrderedGroup.Order.causal, .total], 0..<8 as Range<UInt64>)
    func happenedBefore(order: OrderedGroup.Order, seed: UInt64) throws {
        let driver = run(order, seed: seed, answers: false)
        // The event of each thing told, and the sending event of each stamp.
        var events: [LogicalEvent] = []
        var causes: [Set<Int>] = []
        var latest = [Int?](repeating: nil, count: driver.ids.count)
        var sending: [[UInt64]: Int] = [:]
        let arrivals = Dictionary(driver.arrivals.map { ($0.told, $0.bytes) }) { first, _ in first }
        for (index, told) in driver.told.enumerated() {
            guard case .logical(let event) = told.event else { continue }
            var past = latest[told.member].map { causes[$0].union([$0]) } ?? []
            switch event.action {
            case .sent: sending[[event.stamp.lamport, UInt64(event.stamp.node)]] = events.count
            case .received:
                let bytes = try #require(arrivals[index])
                let stamp = try GroupMessage(parsing: bytes.span.bytes).stamp
                let cause = try #require(sending[[stamp.lamport, UInt64(stamp.node)]])
                past.formUnion(causes[cause].union([cause]))
            default: break
            }
            latest[told.member] = events.count
            events.append(event)
            causes.append(past)
            if events.count == 250 { break }
        }
        var pairs = 0
        for b in events.indices {
            for a in events.indices where a != b {
                let truth = causes[b].contains(a)
                if truth { pairs += 1 }
                if events[a].stamp.happenedBefore(events[b].stamp) != truth {
                    Issue.record("seed \(seed): \(events[a]) and \(events[b])")
                }
            }
        }
        #expect(pairs > 1_000)
    }

    @Test("total order waits for a member that is dead, and goes on when it is back")
    func dead() {
        var driver = GroupDriver(ids: [3, 5, 9])
        driver.silent = [2]
        driver.at(Instant(nanoseconds: 30_000_000_000)) { $0.silent = [] }
        driver.seat { place, peers, _ in
            GroupAgent(
                id: [3, 5, 9][place], peers: peers,
                parts: [
                    .ordered(
                        .init(
                            order: .total, retransmission: .milliseconds(300),
                            submissions: [.init(at: LocalInstant(nanoseconds: 1_000_000_000), payload: [1])]))
                ], start: LocalInstant(nanoseconds: 0))
        }
        driver.run(until: Instant(nanoseconds: 29_000_000_000))
        #expect(deliveries(driver).isEmpty)
        driver.run(until: Instant(nanoseconds: 40_000_000_000))
        #expect(deliveries(driver).count == 9)
        #expect(sequences(driver).allSatisfy { $0.map(\.sender) == [3, 5, 9] })
    }

    @Test("who is told to stop gives up a member that is dead for good")
    func stopped() {
        var driver = GroupDriver(ids: [0, 1])
        driver.silent = [1]
        driver.seat { place, peers, _ in
            GroupAgent(
                id: UInt16(place), peers: peers,
                parts: [
                    .ordered(
                        .init(
                            order: .fifo, retransmission: .milliseconds(300),
                            submissions: [.init(at: LocalInstant(nanoseconds: 0), payload: [1])]))
                ], start: LocalInstant(nanoseconds: 0))
        }
        driver.run(until: Instant(nanoseconds: 10_000_000_000))
        #expect(driver.agents[0].nextTimeout != .distantFuture)
        driver.agents[0].stop()
        driver.run(until: Instant(nanoseconds: 60_000_000_000))
        #expect(driver.agents[0].nextTimeout == .distantFuture)
    }
}
