@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("Berkeley clocks")
struct BerkeleyClockTests {
    private static func milliseconds(_ values: [Int64]) -> [TimeSpan] { values.map { .milliseconds($0) } }

    @Test(
        "the average is that of the largest set within one range, the coordinator's clock among them",
        arguments: [
            ([25, -10], 60, 5, 3),  // the textbook's three clocks: 3:00, 3:25, 2:50, in minutes
            ([5, 10, 900], 20, 5, 3),  // a wrong one moves nobody
            ([100, 101, 102], 20, 101, 3),  // the coordinator's own is the wrong one
            ([100, -100], 20, 0, 1),  // no two agree: all follow the coordinator
            ([15, -15], 20, -7, 2),  // two sets of two, both with the coordinator's and as wide: the lower
            ([], 20, 0, 1),
        ] as [([Int64], Int64, Int64, Int)])
    func average(differences: [Int64], range: Int64, mean: Int64, count: Int) {
        let average = FaultTolerantAverage(Self.milliseconds(differences), range: .milliseconds(range))
        #expect(average.count == count)
        #expect(average.mean.nanoseconds / 1_000_000 == mean)
    }

    private func group(
        _ oscillators: [Oscillator], seed: UInt64 = 1, trials: Int = 10,
        election: BerkeleyClock.Succession.Election = .bully(timeout: .milliseconds(200)),
        correction: Correction = Correction(), bounds: BerkeleyClock.Bounds = .init()
    ) -> GroupDriver {
        var driver = GroupDriver(ids: oscillators.indices.map { UInt16($0) }, oscillators: oscillators, seed: seed)
        let configuration = BerkeleyClock.Configuration(
            polling: .init(
                interval: .seconds(5), trials: trials, spacing: .milliseconds(50), timeout: .milliseconds(500)),
            range: .milliseconds(200), succession: .init(election, timeout: .seconds(12)), bounds: bounds,
            correction: correction)
        driver.seat { place, peers, start in
            GroupAgent(id: UInt16(place), peers: peers, parts: [.berkeley(configuration)], start: start)
        }
        return driver
    }

    private static let oscillators = [35, -20, 0, 80, -50].map { Oscillator(offset: .milliseconds($0)) }

    @Test("a round brings all clocks to the group's mean, which does not move")
    func mean() {
        var driver = group(Self.oscillators, correction: Correction(stepLimit: .zero))
        driver.run(until: Instant(nanoseconds: 4_000_000_000))
        #expect(driver.errors.allSatisfy { abs($0 - 9_000_000) <= 2 })
        driver.run(until: Instant(nanoseconds: 200_000_000_000))
        #expect(driver.errors.allSatisfy { abs($0 - 9_000_000) <= 100 })
    }

    @Test("a way that is longer than the way back by A puts a member A/2 off the coordinator")
    func asymmetry() {
        var driver = group([Oscillator(), Oscillator()], correction: Correction(stepLimit: .zero))
        driver.way = { from, _ in .init(least: .milliseconds(from == 1 ? 30 : 10)) }
        driver.run(until: Instant(nanoseconds: 4_000_000_000))
        // The coordinator's message takes 20 ms more than the answer: the member looks 10 ms fast, and goes back by it.
        #expect(abs(driver.errors[0] - driver.errors[1] + 10_000_000) <= 2)
    }

    /// Each direction's excess over N polls is exponential with mean J/N, and so the error of a difference, half of
    /// theirs, has the variance (J/N)²/2; its square has five times the square of that as its variance (a Laplace
    /// variable's kurtosis is 6).
    @Test("the minimum of each direction is as good as its closed form", arguments: [1, 4, 8])
    func minima(trials: Int) {
        let jitter = 8e6
        var squares = 0.0
        let rounds = 200.0
        for seed in 0..<50 as Range<UInt64> {
            var driver = group(
                [0, 0, 0, 0, 0].map { Oscillator(offset: .milliseconds($0)) }, seed: seed, trials: trials,
                correction: Correction(stepLimit: .zero))
            driver.way = { _, _ in .init(least: .milliseconds(3), queueing: .milliseconds(8)) }
            driver.run(until: Instant(nanoseconds: 4_000_000_000))
            for error in driver.errors.dropLast() {
                let difference = Double(error - driver.errors[4])
                squares += difference * difference
            }
        }
        let variance = jitter * jitter / Double(trials * trials) / 2
        #expect(abs(squares / rounds / variance - 1) < 5 * (5 / rounds).squareRoot())
    }

    @Test(
        "no claim against the group's mean is ever broken, with and without losses", arguments: 0..<8 as Range<UInt64>)
    func claims(seed: UInt64) {
        var driver = group(
            [35, -20, 0, 80, -50].enumerated().map { index, offset in
                Oscillator(offset: .milliseconds(offset), partsPerBillion: Int64(index) * 45_000 - 90_000)
            }, seed: seed, correction: Correction(slewRate: seed % 2 == 0 ? 500_000 : 50_000_000),
            bounds: .init(leastDelay: .milliseconds(5)))
        // Half of them with losses: corrections come late then, or by the third attempt.
        let loss = Probability(seed < 4 ? 0 : 0.2)
        driver.way = { _, _ in .init(least: .milliseconds(5), queueing: .milliseconds(8), loss: loss) }
        var claims = [(claim: ClockClaim, at: Instant)?](repeating: nil, count: 5)
        var seen = 0
        var tightest = Int64.max
        for step in 1...1_000 as ClosedRange<Int64> {
            driver.run(until: Instant(nanoseconds: step * 60_000_000))
            for told in driver.told[seen...] {
                if case .claim(let claim) = told.event { claims[told.member] = (claim, told.at) }
            }
            seen = driver.told.count
            let errors = driver.errors
            let mean = errors.reduce(0, +) / 5
            for (error, latest) in zip(errors, claims) {
                guard let latest, let bound = latest.claim.bound else { continue }
                let growth = (driver.now - latest.at).nanoseconds * latest.claim.growth / 1_000_000_000
                #expect(abs(error - mean) <= bound.nanoseconds + growth + 2, "seed \(seed) at \(driver.now)")
                tightest = min(tightest, bound.nanoseconds)
            }
        }
        #expect(claims.allSatisfy { $0 != nil })
        // With a fast slew claims come down to what the exchanges allow: some milliseconds.
        if seed % 2 == 1 { #expect(tightest < 10_000_000) }
    }

    @Test(
        "when the coordinator dies in a round another takes over, clocks never go back, and the group agrees again",
        arguments: [true, false])
    func succession(isRing: Bool) {
        var driver = group(
            [35, -20, 0, 80, -50].enumerated().map { index, offset in
                Oscillator(offset: .milliseconds(offset), partsPerBillion: Int64(index) * 45_000 - 90_000)
            },
            election: isRing
                ? .ring(timeout: .milliseconds(200), attempts: 2) : .bully(timeout: .milliseconds(200)),
            correction: Correction(slewRate: 20_000_000))
        // In the middle of the second round.
        driver.at(Instant(nanoseconds: 5_200_000_000)) { $0.silent.insert(4) }
        // The first round's corrections are steps: from after them on.
        driver.run(until: Instant(nanoseconds: 4_000_000_000))
        var latest = driver.clocks.map { $0.reading(at: driver.now) }
        for step in 81...1_200 as ClosedRange<Int64> {
            driver.run(until: Instant(nanoseconds: step * 50_000_000))
            let readings = driver.clocks.map { $0.reading(at: driver.now) }
            #expect(zip(latest, readings).allSatisfy { $0 < $1 })
            latest = readings
        }
        let living = driver.errors.dropLast()
        #expect((living.max() ?? 0) - (living.min() ?? 0) < 2_000_000)
        #expect(coordinators(driver) == [4, 3])
    }

    private func coordinators(_ driver: GroupDriver) -> [Int] {
        var list: [Int] = []
        for message in driver.sent {
            if case .poll? = (try? GroupMessage(parsing: message.bytes.span.bytes))?.body, !list.contains(message.from)
            {
                list.append(message.from)
            }
        }
        return list
    }

    @Test("who comes back with the greatest id takes over again, and the other becomes a member")
    func returned() throws {
        var driver = group(Self.oscillators, correction: Correction(stepLimit: .zero))
        driver.at(Instant(nanoseconds: 5_200_000_000)) { $0.silent.insert(4) }
        driver.at(Instant(nanoseconds: 60_000_000_000)) { $0.silent.remove(4) }
        driver.run(until: Instant(nanoseconds: 80_000_000_000))
        let late = driver.sent.filter {
            if case .poll? = (try? GroupMessage(parsing: $0.bytes.span.bytes))?.body { true } else { false }
        }.suffix(20)
        #expect(late.allSatisfy { $0.from == 4 })
        #expect((driver.errors.max() ?? 0) - (driver.errors.min() ?? 0) < 1_000)
    }

    @Test("a member that has not answered three rounds is dropped, polled once a round, and back when it answers")
    func dropped() {
        var driver = group(Self.oscillators)
        driver.at(Instant(nanoseconds: 4_000_000_000)) { $0.silent.insert(1) }
        driver.at(Instant(nanoseconds: 42_000_000_000)) { $0.silent.remove(1) }
        driver.run(until: Instant(nanoseconds: 59_000_000_000))
        var polls = [Int](repeating: 0, count: 12)
        for message in driver.sent where message.to == 1 {
            if case .poll(let round, _)? = (try? GroupMessage(parsing: message.bytes.span.bytes))?.body {
                polls[Int(round) - 1] += 1
            }
        }
        #expect(polls == [10, 10, 10, 10, 1, 1, 1, 1, 1, 1, 10, 10])
    }
}
