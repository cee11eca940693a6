@testable import ClockSync
import Testing
import Timebase

@Suite("Decentralized averaging")
struct ClockAveragingTests {
    private static let offsets: [Int64] = [40, -25, 5, 80, -60, 13]

    /// A group with errors of so many milliseconds, whose clocks are stepped, and the mean.
    private func group(
        _ offsets: [Int64], _ mean: ClockAveraging.Mean, seed: UInt64 = 1,
        correction: Correction = Correction(stepLimit: .zero)
    ) -> GroupDriver {
        var driver = GroupDriver(
            ids: offsets.indices.map { UInt16($0) },
            oscillators: offsets.map { Oscillator(offset: .milliseconds($0)) }, seed: seed)
        let configuration = ClockAveraging.Configuration(
            interval: .seconds(10), window: .seconds(1), mean: mean, correction: correction)
        driver.seat { place, peers, start in
            GroupAgent(id: UInt16(place), peers: peers, parts: [.averaging(configuration)], start: start)
        }
        return driver
    }

    private func disagreement(_ errors: [Int64]) -> Int64 { (errors.max() ?? 0) - (errors.min() ?? 0) }

    @Test("mean of the others: each goes to their mean less the way's delay, and disagreement shrinks by 1/(n - 1)")
    func others() {
        var driver = group(Self.offsets, .others)
        let count = Int64(Self.offsets.count)
        for round in 1...4 as ClosedRange<Int64> {
            let before = driver.errors
            driver.run(until: Instant(nanoseconds: round * 10_000_000_000 + 5_000_000_000))
            let sum = before.reduce(0, +)
            for (error, former) in zip(driver.errors, before) {
                #expect(abs(error - ((sum - former) / (count - 1) - 10_000_000)) <= 2)
            }
            #expect(abs(disagreement(driver.errors) - disagreement(before) / (count - 1)) <= 4)
        }
    }

    @Test("mean of all: one round is consensus, behind the group's mean by (n - 1)/n of the way's delay")
    func all() {
        var driver = group(Self.offsets, .all)
        let mean = Self.offsets.reduce(0, +) * 1_000_000 / 6
        driver.run(until: Instant(nanoseconds: 15_000_000_000))
        for error in driver.errors { #expect(abs(error - (mean - 10_000_000 * 5 / 6)) <= 2) }
        // And again, as none can see the delay.
        driver.run(until: Instant(nanoseconds: 25_000_000_000))
        for error in driver.errors { #expect(abs(error - (mean - 2 * 10_000_000 * 5 / 6)) <= 4) }
    }

    @Test("without the highest and lowest a wrong clock moves nobody")
    func trimmed() {
        var driver = group([0, 2, -2, 1, -1, 0, 900], .trimmed(1))
        driver.run(until: Instant(nanoseconds: 15_000_000_000))
        // Each is within what the good clocks differ of their mean, and slow by the delay at most.
        for error in driver.errors.dropLast() { #expect((-12_000_000...2_000_000).contains(error)) }
        var plain = group([0, 2, -2, 1, -1, 0, 900], .others)
        plain.run(until: Instant(nanoseconds: 15_000_000_000))
        #expect(plain.errors[0] > 100_000_000)
    }

    @Test("too few clocks to leave out two of three change nothing")
    func tooFew() {
        var driver = group([0, 5, 9], .trimmed(2))
        driver.run(until: Instant(nanoseconds: 35_000_000_000))
        #expect(driver.adjustments.isEmpty && driver.errors == [0, 5_000_000, 9_000_000])
    }

    /// A reading looks slow by its delay: with exponential queueing of mean J the group falls behind by least + J a
    /// round. Of n (n - 1) delays a round the mean over R rounds has the deviation J / sqrt(n (n - 1) R).
    @Test(
        "the group falls behind true time by the mean one-way delay at every round",
        arguments: 1...5 as ClosedRange<UInt64>)
    func meanDelay(seed: UInt64) {
        var driver = group([0, 0, 0, 0, 0], .others, seed: seed)
        driver.way = { _, _ in .init(least: .milliseconds(10), queueing: .milliseconds(5)) }
        let rounds = 100.0
        driver.run(until: Instant(nanoseconds: 1_005_000_000_000))
        let shift = Double(driver.errors.reduce(0, +)) / 5 / rounds
        let deviation = 5e6 / (20 * rounds).squareRoot()
        #expect(abs(shift + 15e6) < 5 * deviation, "seed \(seed)")
    }

    @Test("slewed, no clock ever goes back, and the claim is of the group")
    func slewed() throws {
        var driver = group(Self.offsets, .all, correction: Correction(slewRate: 50_000_000))
        var latest: [LocalInstant] = []
        // The first correction is a step: from after it on.
        driver.run(until: Instant(nanoseconds: 14_000_000_000))
        latest = driver.clocks.map { $0.reading(at: driver.now) }
        for step in 281...600 as ClosedRange<Int64> {
            driver.run(until: Instant(nanoseconds: step * 50_000_000))
            let readings = driver.clocks.map { $0.reading(at: driver.now) }
            #expect(zip(latest, readings).allSatisfy { $0 < $1 })
            latest = readings
        }
        #expect(disagreement(driver.errors) < 10)
        let claims = driver.told.compactMap { if case .claim(let claim) = $0.event { claim } else { nil } }
        #expect(claims.count == 12 && claims.allSatisfy { $0 == ClockClaim(reference: .group, bound: nil) })
    }

    @Test("a lost reading is done without; a member that hears nobody keeps its clock")
    func losses() {
        var driver = group([0, 30, 60], .others)
        driver.way = { from, to in .init(loss: to == 0 || from == 2 && to == 1 ? .always : .never) }
        driver.run(until: Instant(nanoseconds: 15_000_000_000))
        #expect(driver.errors == [0, -10_000_000, 5_000_000])
    }
}
