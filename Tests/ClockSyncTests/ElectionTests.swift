@testable import ClockSync
import Testing
import Timebase
import Wire

/// Groups of eight, 0 to 7, whose coordinator 7 is dead from the beginning. Messages are counted where they are handed to
/// the network.
@Suite("Elections of a coordinator")
struct ElectionTests {
    /// - Parameter initiators: who misses the coordinator after so many seconds; nobody else does.
    private func group(
        _ election: BerkeleyClock.Succession.Election, initiators: [UInt16: Int64], dead: Set<Int> = [7],
        count: UInt16 = 8
    ) -> GroupDriver {
        var driver = GroupDriver(ids: Array(0..<count))
        driver.silent = dead
        driver.seat { place, peers, start in
            GroupAgent(
                id: UInt16(place), peers: peers,
                parts: [
                    .berkeley(
                        BerkeleyClock.Configuration(
                            polling: .init(
                                interval: .seconds(100), trials: 1, spacing: .seconds(1), timeout: .seconds(1)),
                            range: .milliseconds(20),
                            succession: .init(
                                election, timeout: .seconds(initiators[UInt16(place)] ?? 10_000), first: count - 1)))
                ], start: start)
        }
        return driver
    }

    private func messages(_ driver: GroupDriver) -> [(from: Int, to: Int, body: GroupMessage.Body)] {
        driver.sent.compactMap { message in
            (try? GroupMessage(parsing: message.bytes.span.bytes)).map { (message.from, message.to, $0.body) }
        }
    }

    /// Who has called itself coordinator in the end, by whom it polls.
    private func coordinators(_ driver: GroupDriver) -> Set<Int> {
        Set(messages(driver).compactMap { if case .poll = $0.body { $0.from } else { nil } })
    }

    /// Who begins asks all above it; of these everybody alive answers all below that ask, and asks in turn: with the
    /// initiator i of 0...7 and 7 dead, (7 - i)(8 - i)/2 questions, (6 - i)(7 - i)/2 answers, and six announcements.
    @Test("bully: the greatest id alive wins, by as many messages as theory has", arguments: 0...6 as ClosedRange<Int>)
    func bully(initiator: Int) {
        var driver = group(.bully(timeout: .seconds(1)), initiators: [UInt16(initiator): 20])
        driver.run(until: Instant(nanoseconds: 39_000_000_000))
        var (questions, answers, announcements) = (0, 0, 0)
        for message in messages(driver) {
            switch message.body {
            case .election: questions += 1
            case .alive: answers += 1
            case .coordinator: announcements += 1
            default: break
            }
        }
        #expect(questions == (7 - initiator) * (8 - initiator) / 2)
        #expect(answers == (6 - initiator) * (7 - initiator) / 2)
        #expect(announcements == 6)
        #expect(coordinators(driver) == [6])
    }

    @Test("bully: when those above are dead as well the initiator wins after one time-out")
    func bullyAlone() {
        var driver = group(.bully(timeout: .seconds(1)), initiators: [4: 20], dead: [5, 6, 7])
        driver.run(until: Instant(nanoseconds: 21_500_000_000))
        #expect(coordinators(driver) == [4])
    }

    /// By hand, with 7 dead. A list begun by 5 goes 5 6 0 1 2 3 4 5, one begun by 2 goes 2 3 4 5 6 0 1 2: seven hops each
    /// among the living, and as many for each result; 6 tries 7 in vain each of the four times.
    @Test("ring: two initiators, both rounds elect 6, and every hop is accounted for")
    func ring() {
        var driver = group(.ring(timeout: .seconds(1), attempts: 1), initiators: [2: 20, 5: 20])
        driver.run(until: Instant(nanoseconds: 39_000_000_000))
        let rings = messages(driver).compactMap { message -> (from: Int, to: Int, ring: GroupMessage.Ring)? in
            if case .ring(let ring) = message.body { (message.from, message.to, ring) } else { nil }
        }
        for initiator in [2, 5] as [UInt16] {
            let lists = rings.filter { $0.ring.initiator == initiator && $0.ring.elected == nil && $0.to != 7 }
            let results = rings.filter { $0.ring.initiator == initiator && $0.ring.elected != nil && $0.to != 7 }
            let way = initiator == 5 ? [5, 6, 0, 1, 2, 3, 4] : [2, 3, 4, 5, 6, 0, 1]
            #expect(lists.map(\.from) == way && results.map(\.from) == way)
            #expect(lists.last?.ring.members == way.map { UInt16($0) })
            #expect(results.allSatisfy { $0.ring.elected == 6 })
        }
        #expect(rings.filter { $0.to == 7 }.map(\.from) == [6, 6, 6, 6])
        #expect(rings.count == 28 + 4)
        let acknowledgments = messages(driver).filter {
            if case .ringAcknowledgment = $0.body { true } else { false }
        }
        #expect(acknowledgments.count == 28)
        #expect(coordinators(driver) == [6])
    }

    @Test(
        "ring: over links that lose a third the greatest id alive is elected all the same",
        arguments: 1...20 as ClosedRange<UInt64>)
    func ringUnderLoss(seed: UInt64) {
        var driver = group(.ring(timeout: .milliseconds(100), attempts: 20), initiators: [3: 20])
        driver.way = { _, _ in .init(queueing: .milliseconds(5), loss: Probability(1.0 / 3)) }
        driver.run(until: Instant(nanoseconds: 100_000_000_000))
        #expect(coordinators(driver) == [6])
    }

    @Test("a list whose initiator dies on the way does not go round for ever")
    func orphan() {
        var driver = group(.ring(timeout: .seconds(1), attempts: 1), initiators: [2: 20])
        driver.at(Instant(nanoseconds: 20_015_000_000)) { $0.silent.insert(2) }
        driver.run(until: Instant(nanoseconds: 1_000_000_000_000))
        let rings = messages(driver).filter { if case .ring = $0.body { true } else { false } }
        #expect(rings.count < 12 && coordinators(driver).isEmpty)
    }

    @Test("a group of one that is left elects itself", arguments: [true, false])
    func lastOne(isRing: Bool) {
        var driver = group(
            isRing ? .ring(timeout: .seconds(1), attempts: 2) : .bully(timeout: .seconds(1)),
            initiators: [0: 5], dead: [1, 2], count: 3)
        driver.run(until: Instant(nanoseconds: 20_000_000_000))
        #expect(coordinators(driver) == [0])
    }
}
