import Testing
import Timebase

@testable import ClockSync

@Suite("NTP's mechanisms, by hand (RFC 5905 §10 and §11)")
struct NTPMechanismTests {
    private func candidate(_ server: Int, _ offset: Double, _ distance: Double, jitter: Double = 0)
        -> ClockSelection.Candidate
    {
        ClockSelection.Candidate(
            server: server, offset: offset, rootDistance: distance, jitter: jitter, metric: distance)
    }

    private func truechimers(_ intervals: [(Double, Double)]) -> [Int] {
        let candidates = intervals.enumerated().map { candidate($0, $1.0, $1.1) }
        return ClockSelection.truechimers(among: candidates).map(\.server)
    }

    @Test("intersection: fewer than half are outvoted, and nobody for an interval that holds what is true")
    func intersection() {
        #expect(truechimers([(1, 1), (1.5, 1), (1.2, 0.5), (10, 1)]) == [0, 1, 2])
        #expect(truechimers([(0, 1), (5, 1)]) == [] && truechimers([]) == [] && truechimers([(7, 0)]) == [0])
        #expect(truechimers([(0, 1), (1, 1)]) == [0, 1] && truechimers([(0, 1), (2.1, 1)]) == [])
        // Middles of the first, or of two, lie outside of what all three share.
        #expect(truechimers([(0, 5), (4, 1), (4.5, 1)]) == [0, 1, 2])
        #expect(truechimers([(0, 5), (10, 5.5), (4.9, 0.2)]) == [0, 1, 2])
        // A server known to a microsecond, and one whose way is 20 ms longer there than back.
        #expect(truechimers([(0, 1e-6), (-0.010, 0.0101)]) == [0, 1])
        #expect(truechimers([(0, 1), (0, 1), (8, 1), (9, 1), (20, 1)]) == [])
    }

    @Test("clustering casts out the farthest while that gains more than the servers' own jitter, and leaves three")
    func clustering() {
        func survivors(_ jitter: Double) -> [Int] {
            let offsets = [5e-3, 0, 1e-4, -1e-4, 2e-4]
            return ClockSelection.clustered(offsets.enumerated().map { candidate($0, $1, 0.1, jitter: jitter) })
                .survivors.map(\.server)
        }
        #expect(survivors(1e-2) == [0, 1, 2, 3, 4])
        #expect(survivors(1e-3) == [1, 2, 3, 4])
        #expect(survivors(1e-6).count == 3 && !survivors(1e-6).contains(0))
    }

    @Test("combining: one server 5 ms off pulls by Σ(b/Λ) / Σ(1/Λ); far worse ones do not")
    func combining() {
        let near = ClockSelection.clustered([candidate(0, 0, 1e-3), candidate(1, 5e-3, 2.5e-3)]).survivors
        #expect(abs(ClockSelection.combined(near) - 2.0 / 1_400) < 1e-12)
        let far = ClockSelection.clustered([candidate(0, 0, 1e-3), candidate(1, 5e-3, 3.1e-3)]).survivors
        #expect(far.map(\.server) == [0])
    }

    private func sample(_ second: Int64, offset: Int64, delay: Int64) -> TimeSample {
        let instant = FreeInstant(nanoseconds: second * 1_000_000_000)
        return TimeSample(
            middle: instant, received: instant, offset: .microseconds(offset), delay: .microseconds(delay),
            dispersion: .microseconds(1))
    }

    private func view(_ second: Int64) -> ClockFilter.View {
        ClockFilter.View(instant: FreeInstant(nanoseconds: second * 1_000_000_000), gain: .zero, frequency: 0)
    }

    /// For what changes what it asks, which `#expect` cannot.
    private func check(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: sourceLocation)
    }

    @Test("the filter's dispersion halves from stage to stage, empty ones counting 16 s, and ages by 15 ppm")
    func dispersion() throws {
        var filter = ClockFilter()
        filter.shift(in: sample(0, offset: 30, delay: 400))
        check(filter.renew(at: view(0), poll: .seconds(16)))
        let first = try #require(filter.estimate(at: view(0)))
        // 1 us / 2 + 16 s (1/4 + ... + 1/256)
        #expect(abs(first.dispersion - (0.5e-6 + 7.9375)) < 1e-12 && first.delay == 400e-6)
        #expect(abs(try #require(filter.estimate(at: view(10))).dispersion - first.dispersion - 150e-6) < 1e-12)
    }

    @Test("jitter is the root mean square about the best sample: the count stands under the root (erratum 5600)")
    func jitter() throws {
        var filter = ClockFilter()
        filter.shift(in: sample(0, offset: 0, delay: 100))
        check(filter.renew(at: view(0), poll: .seconds(16)))
        for second in 1...7 as ClosedRange<Int64> {
            filter.shift(in: sample(second, offset: second % 2 == 0 ? 1_000 : -1_000, delay: 200 + second))
            // The best sample is the first, and it is used once only.
            check(!filter.renew(at: view(second), poll: .seconds(16)))
        }
        let estimate = try #require(filter.estimate(at: view(7)))
        #expect(abs(estimate.jitter - 1e-3) < 1e-12 && estimate.offset == 0)
        // When it has left the register, the best of the others is newer and counts.
        filter.shift(in: sample(8, offset: 1_000, delay: 500))
        check(filter.renew(at: view(40), poll: .seconds(16)))
        #expect(try #require(filter.estimate(at: view(40))).offset == -1e-3)
    }

    @Test("a spike of more than three jitters is put aside, and believed when it has lasted for two polls")
    func popcorn() {
        var filter = ClockFilter()
        filter.shift(in: sample(0, offset: 0, delay: 300))
        check(filter.renew(at: view(0), poll: .seconds(16)))
        filter.shift(in: sample(16, offset: 10, delay: 200))
        check(filter.renew(at: view(16), poll: .seconds(16)))
        filter.shift(in: sample(32, offset: 5_000, delay: 190))
        // The others now differ from the best by 5 ms: that is the jitter then, and no spike stands out of three of it.
        check(filter.renew(at: view(32), poll: .seconds(16)))
        var lone = ClockFilter()
        lone.shift(in: sample(0, offset: 0, delay: 300))
        check(lone.renew(at: view(0), poll: .seconds(16)))
        lone.clear()
        lone.shift(in: sample(16, offset: 9_000, delay: 300))
        check(lone.renew(at: view(16), poll: .seconds(16)))
    }

    /// Synchronized at 32 s without a frequency error.
    private func discipline() -> ClockDiscipline {
        var discipline = ClockDiscipline(limits: (0.128, .zero, 1_000), polls: 4...10, maximumFrequency: 5e-4)
        _ = discipline.update(offset: 0, servers: .zero, at: FreeInstant(nanoseconds: 0))
        _ = discipline.update(offset: 0, servers: .zero, at: FreeInstant(nanoseconds: 32_000_000_000))
        return discipline
    }

    @Test("phase lock: frequency by θ µ / (4 · 16 · 2^τ)², phase by a 16th of 2^-τ a second")
    func phaseLock() {
        var discipline = discipline()
        #expect(discipline.state == .synchronized && discipline.frequency == 0)
        let verdict = discipline.update(
            offset: 1e-3, servers: .zero, at: FreeInstant(nanoseconds: 48_000_000_000))
        guard case .amortize = verdict else {
            Issue.record("not amortized")
            return
        }
        #expect(abs((discipline.frequency ?? 0) - 1e-3 * 16 / (1_024 * 1_024)) < 1e-18)
        #expect(discipline.tick == .seconds(1) && discipline.poll == 4)
        // After 256 s 1/e of it is left, (1 - 1/256)^256 = 0.367161, but for what is less than a nanosecond.
        var sum = TimeSpan.zero
        for _ in 0..<256 { sum += discipline.amortize() }
        #expect(abs(sum.nanoseconds - 632_839) < 256)
    }

    @Test("offsets of more than 1000 s panic, over the step limit they are a spike, and frequency is held to 500 ppm")
    func limits() {
        var discipline = discipline()
        let later = FreeInstant(nanoseconds: 48_000_000_000)
        if case .panic = discipline.update(offset: -1_000.1, servers: .zero, at: later) {
        } else {
            Issue.record("no panic")
        }
        if case .ignore = discipline.update(offset: 0.129, servers: .zero, at: later) {
        } else {
            Issue.record("no spike")
        }
        #expect(discipline.state == .spike)
        var fast = ClockDiscipline(limits: (0.128, .zero, nil), polls: 4...4, maximumFrequency: 5e-4)
        _ = fast.update(offset: 0, servers: .zero, at: FreeInstant(nanoseconds: 0))
        // At first a clock has jumped, but where it goes on like that it is too fast.
        for hundreds in 1...2 as ClosedRange<Int64> {
            let at = FreeInstant(nanoseconds: hundreds * 100_000_000_000)
            _ = fast.update(offset: 0, servers: .seconds(hundreds), at: at)
            #expect(fast.frequency == (hundreds == 1 ? nil : 5e-4))
        }
    }

    @Test("the poll interval grows while offsets are lost in the jitter, and shrinks when they stand out")
    func polls() {
        var discipline = discipline()
        var second: Int64 = 32
        func update(_ offset: Double) {
            second += 16
            _ = discipline.update(offset: offset, servers: .zero, at: FreeInstant(nanoseconds: second * 1_000_000_000))
        }
        // Alternating offsets are jitter: each counts 4, so that the eighth is the first over 30.
        for index in 0..<8 { update(index % 2 == 0 ? 1e-4 : -1e-4) }
        #expect(discipline.poll == 5)
        // A constant offset stands out as soon as the jitter has forgotten: each counts -10.
        for _ in 0..<60 { update(1e-2) }
        #expect(discipline.poll == 4)
    }

    @Test(
        "Student's t at one in a thousand, as tables have it",
        arguments: [(1, 636.619), (2, 31.599), (10, 4.587), (11, 4.437), (20, 3.850), (30, 3.646), (60, 3.460)])
    func student(degreesOfFreedom: Int, quantile: Double) {
        #expect(abs(SampleRegression.studentQuantile(degreesOfFreedom) - quantile) < 1e-3)
    }
}
