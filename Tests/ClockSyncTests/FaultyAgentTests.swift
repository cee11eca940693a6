@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("Faults of a node")
struct FaultyAgentTests {
    /// Sends a number every second, notes what comes and when, and forgets all at a restart.
    private struct Counter: Agent {
        var next = LocalInstant(nanoseconds: 1_000_000_000)
        var count: UInt8 = 0
        var outputs: [AgentOutput] = []
        var nextTimeout: LocalInstant { next }
        mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
            outputs.append(.tell(.roundTrip(.nanoseconds(now.nanoseconds), flow: flow)))
        }
        mutating func handleTimeout(at now: LocalInstant) {
            guard next <= now else { return }
            next = now + .seconds(1)
            count &+= 1
            for flow in 0..<2 { outputs.append(.send([count], flow: flow)) }
        }
        mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
        mutating func stop() { next = .distantFuture }
    }

    private struct Run {
        /// What left on flow 0, with the seconds at which it did.
        var sent: [(number: UInt8, second: Int64)] = []
        /// When something came to the agent, in milliseconds.
        var arrivals: [Int64] = []
        var adjustments: [ClockAdjustment] = []
    }

    /// Ten seconds; something comes at 100 ms after each.
    private func run(_ faults: [Fault], seconds: Int64 = 10) -> Run {
        var agent = FaultyAgent(
            Counter(), faults, .group, key: DrawKey(seed: 1), start: LocalInstant(nanoseconds: 0))
        var run = Run()
        func drain(_ now: LocalInstant) {
            while let output = agent.pollOutput() {
                switch output {
                case .send(let bytes, flow: 0): run.sent.append((bytes[0], now.nanoseconds / 1_000_000_000))
                case .tell(.roundTrip(let span, _)): run.arrivals.append(span.nanoseconds / 1_000_000)
                case .adjust(let adjustment): run.adjustments.append(adjustment)
                default: break
                }
            }
        }
        for tick in 0...seconds * 10 {
            let now = LocalInstant(nanoseconds: tick * 100_000_000)
            if tick % 10 == 1 {
                agent.handle([UInt8(1)].span.bytes, flow: 0, at: now)
                drain(now)
            }
            while agent.nextTimeout <= now {
                agent.handleTimeout(at: now)
                drain(now)
            }
        }
        return run
    }

    @Test("without faults it is the agent")
    func none() {
        let run = run([])
        #expect(run.sent.map(\.second) == Array(1...10) && run.sent.map(\.number) == Array(1...10))
        #expect(run.arrivals == (0..<10).map { $0 * 1_000 + 100 })
    }

    @Test("a crash is silence in both directions, and then it goes on, or begins anew", arguments: [true, false])
    func crash(losesState: Bool) {
        let run = run([Fault(at: .milliseconds(3_050), length: .milliseconds(4_000), .crash(losesState: losesState))])
        #expect(run.sent.map(\.second) == [1, 2, 3, 7, 8, 9])
        #expect(run.sent.map(\.number) == (losesState ? [1, 2, 3, 1, 2, 3] : [1, 2, 3, 4, 5, 6]))
        #expect(run.arrivals == [100, 1_100, 2_100, 7_100, 8_100, 9_100])
        // Nobody remembers what the clock's rate was corrected by.
        #expect(run.adjustments == (losesState ? [.frequency(0), .slew(.zero, rate: 1)] : []))
    }

    @Test("a crash for good is the end")
    func forGood() {
        #expect(run([Fault(at: .milliseconds(3_050), length: nil, .crash(losesState: true))]).sent.count == 3)
    }

    @Test("late messages come late, each direction by itself; what is sent when the fault is over may overtake them")
    func timing() {
        let late = Fault(
            at: .milliseconds(2_500), length: .seconds(3), .timing(late: .milliseconds(1_500)), direction: .outgoing)
        #expect(run([late]).sent.map(\.second) == [1, 2, 4, 5, 6, 6, 7, 8, 9, 10])
        #expect(run([late]).sent.map(\.number) == [1, 2, 3, 4, 6, 5, 7, 8, 9, 10])
        #expect(run([late]).arrivals == run([]).arrivals)
        var incoming = late
        incoming.direction = .incoming
        #expect(run([incoming]).arrivals == [100, 1_100, 2_100, 4_600, 5_600, 6_100, 6_600, 7_100, 8_100, 9_100])
        #expect(run([incoming]).sent.map(\.second) == run([]).sent.map(\.second))
    }

    @Test("omission loses the share that is asked for, of the direction that is asked for")
    func omission() {
        let count = 4_000.0
        let fault = Fault(at: .zero, length: nil, .omission(share: Probability(0.3)), direction: .outgoing)
        let run = run([fault], seconds: Int64(count))
        let lost = 1 - Double(run.sent.count) / count
        #expect(abs(lost - 0.3) < 5 * (0.3 * 0.7 / count).squareRoot())
        #expect(run.arrivals.count == Int(count))
        let all = self.run([Fault(at: .seconds(2), length: .seconds(3), .omission(share: .always))])
        #expect(all.sent.map(\.second) == [1, 5, 6, 7, 8, 9, 10])
        #expect(all.arrivals == [100, 1_100, 5_100, 6_100, 7_100, 8_100, 9_100])
    }

    /// An NTP server that answers whoever asks, as far as this test needs one.
    private struct Server: Agent {
        var outputs: [AgentOutput] = []
        var nextTimeout: LocalInstant { .distantFuture }
        mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
            var reply = [UInt8](repeating: 0, count: 48)
            (reply[0], reply[1]) = (0x24, 1)
            for offset in 0..<8 { reply[24 + offset] = 0xaa }
            for offset in [32, 40] { reply[offset + 3] = 9 }
            outputs.append(.send(reply, flow: flow))
        }
        mutating func handleTimeout(at now: LocalInstant) {}
        mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
        mutating func stop() {}
    }

    /// The server's answer on a flow, ten seconds after the fault began.
    private func answer(_ kind: Fault.Kind, flow: Int = 0) throws -> NTPPacket {
        var agent = FaultyAgent(
            Server(), [Fault(at: .seconds(5), length: nil, kind)], .ntp, key: DrawKey(seed: 3),
            start: LocalInstant(nanoseconds: 1_000_000_000))
        agent.handle([UInt8(0)].span.bytes, flow: flow, at: LocalInstant(nanoseconds: 16_000_000_000))
        guard case .send(let bytes, _)? = agent.pollOutput() else {
            Issue.record("no answer")
            return try NTPPacket(parsing: [UInt8]().span.bytes)
        }
        return try NTPPacket(parsing: bytes.span.bytes)
    }

    @Test("NTP: a wrong time moves T2 and T3, and nothing else; drift comes from the fault's beginning")
    func value() throws {
        let honest = try answer(.omission(share: .never))
        var wrong = try answer(.value(offset: .milliseconds(-1_500), drift: 100_000_000))
        // -1.5 s and ten seconds at 100,000 ppm: -0.5 s.
        #expect(wrong.receiveTimestamp.rawValue == honest.receiveTimestamp.rawValue - 1 << 31)
        #expect(wrong.transmitTimestamp.rawValue == honest.transmitTimestamp.rawValue - 1 << 31)
        wrong.receiveTimestamp = honest.receiveTimestamp
        wrong.transmitTimestamp = honest.transmitTimestamp
        #expect(wrong == honest)
    }

    @Test("NTP: answers out of protocol")
    func violations() throws {
        let honest = try answer(.omission(share: .never))
        #expect(try answer(.stateTransition(.notEchoed)).originTimestamp != honest.originTimestamp)
        #expect(try answer(.stateTransition(.stratumZero)).stratum == 0 && honest.stratum == 1)
        #expect(try answer(.stateTransition(.leapThree)).leapIndicator == 3 && honest.leapIndicator == 0)
    }

    @Test("NTP: an arbitrary fault tells each client a lie of its own, always the same")
    func arbitrary() throws {
        let lies = try (0..<20).map { flow in
            let fault = Fault.Kind.arbitrary(spread: .seconds(2))
            let lie = try answer(fault, flow: flow)
            #expect(try answer(fault, flow: flow) == lie && lie.receiveTimestamp == lie.transmitTimestamp)
            return Double(Int64(bitPattern: lie.receiveTimestamp.rawValue)) / 0x1p32 - 9
        }
        #expect(Set(lies).count == 20 && lies.allSatisfy { abs($0) <= 2 })
        #expect((lies.min() ?? 0) < -1 && (lies.max() ?? 0) > 1)
    }

    private func berkeley(_ faults: [Int: [Fault]], oscillators: [Int64] = [5, -4, 0, 3, -2]) -> GroupDriver {
        var driver = GroupDriver(
            ids: [0, 1, 2, 3, 4], oscillators: oscillators.map { Oscillator(offset: .milliseconds($0)) })
        let configuration = BerkeleyClock.Configuration(
            polling: .init(interval: .seconds(5), trials: 5, spacing: .milliseconds(50), timeout: .milliseconds(500)),
            range: .milliseconds(30),
            succession: .init(.bully(timeout: .milliseconds(200)), timeout: .seconds(12)),
            correction: Correction(slewRate: 20_000_000))
        driver.seat { place, peers, start in
            let agent = GroupAgent(id: UInt16(place), peers: peers, parts: [.berkeley(configuration)], start: start)
            return faults[place].map {
                FaultyAgent(agent, $0, .group, key: DrawKey(seed: 1).named("\(place)"), start: start)
            } ?? agent
        }
        return driver
    }

    @Test("Berkeley: a member that tells a wrong time is left out of the average, and gets corrected to its lie")
    func berkeleyLiar() {
        var driver = berkeley([
            1: [Fault(at: .zero, length: nil, .value(offset: .seconds(3), drift: 0))]
        ])
        driver.run(until: Instant(nanoseconds: 4_000_000_000))
        let good = [0, 2, 3, 4].map { driver.errors[$0] }
        #expect(good.allSatisfy { (-4_000_000...5_000_000).contains($0) })
        #expect((good.max() ?? 0) - (good.min() ?? 0) < 10_000)
    }

    @Test("Berkeley: answers to another round are no answers")
    func berkeleyViolation() {
        var driver = berkeley([1: [Fault(at: .zero, length: nil, .stateTransition(.notEchoed))]])
        driver.run(until: Instant(nanoseconds: 4_000_000_000))
        #expect(driver.adjustments.allSatisfy { $0.member != 1 })
        #expect(driver.adjustments.count == 4)
    }

    @Test(
        "Berkeley: a coordinator that crashes is replaced, and takes over again when it is back",
        arguments: [true, false])
    func berkeleyCrash(losesState: Bool) {
        var driver = berkeley([
            4: [Fault(at: .milliseconds(5_120), length: .seconds(40), .crash(losesState: losesState))]
        ])
        driver.run(until: Instant(nanoseconds: 80_000_000_000))
        var coordinators: [Int] = []
        for message in driver.sent {
            guard case .poll? = (try? GroupMessage(parsing: message.bytes.span.bytes))?.body else { continue }
            if coordinators.last != message.from { coordinators.append(message.from) }
        }
        #expect(coordinators == [4, 3, 4])
        #expect((driver.errors.max() ?? 0) - (driver.errors.min() ?? 0) < 100_000)
    }

    @Test("a group's messages: who crashes and forgets all but what is on stable storage still gets every one, once")
    func orderedCrash() {
        var driver = GroupDriver(ids: [0, 1, 2])
        driver.way = { _, _ in .init(queueing: .milliseconds(30), loss: Probability(0.2)) }
        driver.seat { place, peers, start in
            let agent = GroupAgent(
                id: UInt16(place), peers: peers,
                parts: [
                    .ordered(
                        .init(
                            order: .total, retransmission: .milliseconds(300),
                            submissions: (1...8).map {
                                .init(at: LocalInstant(nanoseconds: $0 * 1_000_000_000), payload: [UInt8($0)])
                            }))
                ], start: start)
            guard place == 1 else { return agent }
            return FaultyAgent(
                agent, [Fault(at: .milliseconds(2_500), length: .seconds(20), .crash(losesState: true))], .group,
                key: DrawKey(seed: 1), start: start)
        }
        driver.run(until: Instant(nanoseconds: 60_000_000_000))
        var sequences = [[String]](repeating: [], count: 3)
        for told in driver.told {
            if case .logical(let event) = told.event, case .delivered(let from, let number, _) = event.action {
                sequences[told.member].append("\(from).\(number)")
            }
        }
        #expect(sequences[0].count == 24 && sequences.allSatisfy { $0 == sequences[0] })
    }

    @Test("averaging: an arbitrary liar makes plain means disagree; without highest and lowest they agree")
    func averaging() {
        func disagreement(_ mean: ClockAveraging.Mean) -> Int64 {
            var driver = GroupDriver(ids: [0, 1, 2, 3, 4])
            driver.seat { place, peers, start in
                let agent = GroupAgent(
                    id: UInt16(place), peers: peers,
                    parts: [
                        .averaging(
                            .init(
                                interval: .seconds(10), window: .seconds(1), mean: mean,
                                correction: Correction(stepLimit: .zero)))
                    ], start: start)
                guard place == 4 else { return agent }
                return FaultyAgent(
                    agent, [Fault(at: .zero, length: nil, .arbitrary(spread: .seconds(1)))], .group,
                    key: DrawKey(seed: 2), start: start)
            }
            driver.run(until: Instant(nanoseconds: 15_000_000_000))
            let good = driver.errors.dropLast()
            return (good.max() ?? 0) - (good.min() ?? 0)
        }
        #expect(disagreement(.all) > 50_000_000)
        #expect(disagreement(.trimmed(1)) <= 10_000_000)
    }
}
