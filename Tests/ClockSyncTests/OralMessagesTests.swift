@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("Agreement: oral messages, and outvoting")
struct OralMessagesTests {
    /// A member that says what it likes to whom it likes, 0 or 1 in every statement, and is otherwise as it should be.
    private struct Traitor: Agent {
        var agent: GroupAgent
        let key: DrawKey
        var count: Int64 = 0

        var nextTimeout: LocalInstant { agent.nextTimeout }
        mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
            agent.handle(payload, flow: flow, at: now)
        }
        mutating func handleTimeout(at now: LocalInstant) { agent.handleTimeout(at: now) }
        mutating func stop() { agent.stop() }

        mutating func pollOutput() -> AgentOutput? {
            let output = agent.pollOutput()
            guard case .send(let bytes, let flow)? = output,
                let message = try? GroupMessage(parsing: bytes.span.bytes),
                case .statement(let path, _) = message.body
            else { return output }
            count += 1
            let lie = Int64(key.draw(count) >> 63)
            return .send(
                GroupMessage(stamp: message.stamp, body: .statement(path: path, value: lie)).bytes, flow: flow)
        }
    }

    /// What each loyal member decides on the commander 0's value 1.
    private func decisions(members: Int, traitors: Set<Int>, depth: Int, seed: UInt64) -> [Int: Int64] {
        var driver = GroupDriver(ids: (0..<members).map { UInt16($0) }, seed: seed)
        driver.way = { _, _ in .init(least: .milliseconds(5), queueing: .milliseconds(5)) }
        driver.seat { place, peers, start in
            let agent = GroupAgent(
                id: UInt16(place), peers: peers,
                parts: [
                    .agreement(
                        .init(
                            commander: 0, value: 1, traitors: depth, start: LocalInstant(nanoseconds: 1_000_000_000),
                            round: .seconds(1)))
                ], start: start)
            return traitors.contains(place)
                ? Traitor(agent: agent, key: DrawKey(seed: seed).named("lies.\(place)")) : agent
        }
        driver.run(until: Instant(nanoseconds: 10_000_000_000))
        var decisions: [Int: Int64] = [:]
        for told in driver.told where !traitors.contains(told.member) {
            if case .logical(let event) = told.event, case .decided(let value) = event.action {
                decisions[told.member] = value
            }
        }
        return decisions
    }

    /// Whether all loyal members decide alike, and what the commander said if it is loyal.
    private func isAgreement(_ decisions: [Int: Int64], _ traitors: Set<Int>) -> Bool {
        Set(decisions.values).count == 1 && (traitors.contains(0) || decisions.values.allSatisfy { $0 == 1 })
    }

    @Test("3m + 1 members agree whoever of them are m traitors, whatever they say", arguments: 0..<40 as Range<UInt64>)
    func within(seed: UInt64) {
        for traitor in 0..<4 {
            let decisions = decisions(members: 4, traitors: [traitor], depth: 1, seed: seed)
            #expect(decisions.count == 3 && isAgreement(decisions, [traitor]))
        }
        let first = Int(seed % 7)
        let traitors: Set<Int> = [first, (first + 1 + Int(seed / 7) % 6) % 7]
        let decisions = decisions(members: 7, traitors: traitors, depth: 2, seed: seed)
        #expect(decisions.count == 5 && isAgreement(decisions, traitors), "seed \(seed): \(decisions)")
    }

    @Test(
        "3m members do not always, nor 3m + 1 with a round too few",
        arguments: [(3, [2], 1), (6, [4, 5], 2), (7, [0, 6], 1)] as [(Int, Set<Int>, Int)])
    func beyond(members: Int, traitors: Set<Int>, depth: Int) {
        let broken = (0..<200 as Range<UInt64>).contains { seed in
            !isAgreement(decisions(members: members, traitors: traitors, depth: depth, seed: seed), traitors)
        }
        #expect(broken)
    }

    @Test("without traitors everybody takes the commander's value")
    func loyal() {
        #expect(decisions(members: 5, traitors: [], depth: 1, seed: 1) == [0: 1, 1: 1, 2: 1, 3: 1, 4: 1])
    }

    @Test("m liars whom all see alike are outvoted by m + 1, and not by m", arguments: 1...5)
    func outvoting(liars: Int) {
        let lies = [Int64](repeating: 13, count: liars)
        #expect(MajorityVote.value(of: lies + [Int64](repeating: 7, count: liars + 1)) == 7)
        #expect(MajorityVote.value(of: lies + [Int64](repeating: 7, count: liars)) == nil)
        #expect(MajorityVote.value(of: lies + [13] + [Int64](repeating: 7, count: liars)) == 13)
    }

    @Test("a majority is found wherever it stands, and only a majority", arguments: 0..<50 as Range<Int64>)
    func majority(seed: Int64) {
        let key = DrawKey(seed: UInt64(seed)).named("votes")
        let votes = (0..<Int64(1 + seed % 9)).map { key.draw($0) % 3 }
        let counted = Dictionary(grouping: votes) { $0 }.first { $0.value.count * 2 > votes.count }?.key
        #expect(MajorityVote.value(of: votes) == counted)
        #expect(MajorityVote.value(of: [Int]()) == nil)
    }

    /// Clocks: 2m + 1 of which m are wrong, alike for all, and the mean without the m highest and lowest.
    @Test("of clocks too: m wrong of 2m + 1 move nobody out of the good ones' range, m + 1 do", arguments: 1...3)
    func clocks(liars: Int) {
        func errors(_ wrong: Int) -> [Int64] {
            let offsets = (0..<2 * liars + 1).map { $0 < wrong ? 5_000 : Int64($0) }
            var driver = GroupDriver(
                ids: offsets.indices.map { UInt16($0) },
                oscillators: offsets.map { Oscillator(offset: .milliseconds($0)) })
            driver.way = { _, _ in .init(least: .nanoseconds(0)) }
            driver.seat { place, peers, start in
                GroupAgent(
                    id: UInt16(place), peers: peers,
                    parts: [
                        .averaging(
                            .init(
                                interval: .seconds(20), window: .seconds(8), mean: .trimmed(liars),
                                correction: Correction(stepLimit: .zero)))
                    ], start: start)
            }
            driver.run(until: Instant(nanoseconds: 39_000_000_000))
            return Array(driver.errors[wrong...])
        }
        #expect(errors(liars).allSatisfy { (0...20_000_000).contains($0) })
        #expect(errors(liars + 1).allSatisfy { $0 > 1_000_000_000 })
    }

    /// Lundelius and Lynch 1984: n clocks that agree, delays within [d, d + u]. In execution k the first k members live u
    /// later, which none can tell as all messages still take from d to d + u; whatever is computed, over the n executions
    /// the largest skew is u(1 - 1/n) at least. The mean of all comes to no more: no algorithm is better.
    @Test(
        "over the shifted, indistinguishable executions the largest skew is at least u(1 - 1/n)",
        arguments: [ClockAveraging.Mean.all, .others, .trimmed(1)], 3...6)
    func lowerBound(mean: ClockAveraging.Mean, members: Int) {
        let uncertainty = Int64(members) * 6_000_000
        let least = Int64(10_000_000)
        var skews: [Int64] = []
        var seen: [[Int: ClockAdjustment]] = []
        for execution in 0..<members {
            func shift(_ member: Int) -> Int64 { member < execution ? uncertainty : 0 }
            func delay(_ from: Int, _ to: Int) -> Int64 {
                (from < to ? least + uncertainty : least) - shift(from) + shift(to)
            }
            for from in 0..<members {
                for to in 0..<members where to != from {
                    #expect((least...least + uncertainty).contains(delay(from, to)))
                }
            }
            var driver = GroupDriver(
                ids: (0..<members).map { UInt16($0) },
                oscillators: (0..<members).map { Oscillator(offset: .nanoseconds(-shift($0))) })
            driver.way = { .init(least: .nanoseconds(delay($0, $1))) }
            driver.seat { place, peers, start in
                GroupAgent(
                    id: UInt16(place), peers: peers,
                    parts: [
                        .averaging(
                            .init(
                                interval: .seconds(10), window: .seconds(1), mean: mean,
                                correction: Correction(stepLimit: .zero)))
                    ], start: start)
            }
            driver.run(until: Instant(nanoseconds: 15_000_000_000))
            let errors = driver.errors
            skews.append((errors.max() ?? 0) - (errors.min() ?? 0))
            seen.append(Dictionary(driver.adjustments.map { ($0.member, $0.adjustment) }) { first, _ in first })
        }
        #expect(seen[0].count == members && seen.allSatisfy { $0 == seen[0] }, "none can tell them apart")
        let bound = uncertainty * Int64(members - 1) / Int64(members)
        #expect((skews.max() ?? 0) >= bound - 2, "skews \(skews)")
        if mean == .all { #expect((skews.max() ?? 0) <= bound + 2, "skews \(skews)") }
    }
}
