@testable import Metrics
import Testing
import Timebase

@Suite("Estimators for captures")
struct CaptureEstimatorTests {
    /// Feeds a pattern of RFC 3611's kind: 1 received, anything else lost.
    private func burstGap(_ pattern: String) -> BurstGap {
        var meter = BurstGap()
        for character in pattern { if character == "1" { meter.add(received: 1) } else { meter.add(lost: 1) } }
        return meter
    }

    @Test("RFC 3611: a burst between two gaps")
    func burst() {
        let ones = { String(repeating: "1", count: $0) }
        let meter = burstGap(ones(20) + "0101100" + ones(30) + "0" + ones(20))
        #expect(meter.bursts == 1)
        #expect(Int(256 * meter.burstDensity) == 146)
        #expect(Int(256 * (meter.gapDensity ?? 0)) == 5)
        // Packets of 20 ms: 1040 and 140 ms.
        #expect(meter.gapLength == 52)
        #expect(meter.burstLength == 7)
    }

    @Test("RFC 3611: what is lost within Gmin of the beginning belongs to a burst")
    func early() {
        let meter = burstGap("111011100011X")
        #expect(Int(256 * (meter.gapDensity ?? -1)) == -256 || !meter.hasBurst)
        var long = BurstGap()
        long.add(received: 17)
        long.add(lost: 1)
        long.add(received: 16)
        long.add(lost: 1)
        long.add(received: 16)
        #expect(!long.hasBurst)
        #expect(Int(256 * (long.gapDensity ?? 0)) == 14)
        #expect(long.burstLength == 0 && long.burstDensity == 0 && long.gapLength == nil)
    }

    @Test("A run of losses counts as its losses one by one")
    func runs() {
        var random: Int64 = 0
        let key = DrawKey(seed: 5)
        for _ in 0..<200 {
            var one = BurstGap()
            var many = BurstGap()
            for _ in 0..<20 {
                random += 2
                let received = Int64(key.draw(random) % 40)
                let lost = Int64(key.draw(random + 1) % 5)
                many.add(received: received)
                many.add(lost: lost)
                for _ in 0..<received { one.add(received: 1) }
                for _ in 0..<lost { one.add(lost: 1) }
            }
            #expect(one == many)
        }
    }

    @Test("The window's bursts and gaps are those of its numbers")
    func window() {
        var window = DeliveryWindow(firstNumber: 100, window: 64)
        var expected = BurstGap()
        let key = DrawKey(seed: 9)
        for number in 0..<5000 as Range<Int64> {
            // The last one arrives, so that the window ends with it.
            let arrives = key.draw(number) % 10 > 1 && !(1000..<1400).contains(number) || number == 4999
            if arrives {
                _ = window.add(number: 100 + number)
                expected.add(received: 1)
            } else {
                expected.add(lost: 1)
            }
        }
        window.finish()
        #expect(window.burstGap == expected)
    }

    @Test("RFC 4737: extents are those of the definition")
    func extents() {
        var meter = ReorderExtent()
        // Hand-made: 3 arrives two after 5, the earliest that should have come later.
        #expect([1, 2, 5, 4, 3, 6].map { meter.add(number: $0) } == [0, 0, 0, 1, 2, 0])
        #expect(meter.largest == 2)
        let key = DrawKey(seed: 3)
        for round in 0..<20 as Range<Int64> {
            let numbers = (0..<300 as Range<Int64>).map {
                ($0 + Int64(key.draw(flow: UInt16(round), number: $0) % 12), $0)
            }
            .sorted { $0 < $1 }.map(\.1)
            var meter = ReorderExtent()
            for (index, number) in numbers.enumerated() {
                let earliest = numbers[..<index].firstIndex { $0 > number }
                let reordered = numbers[..<index].contains { $0 > number }
                #expect(meter.add(number: number) == (reordered ? Int64(index - earliest!) : 0))
            }
        }
    }

    @Test("A line is found exactly, and its error is nothing")
    func line() throws {
        var fit = LineFit()
        #expect(fit.slope == nil)
        fit.add(x: 1, y: 1)
        #expect(fit.slope == nil)
        for x in 2...50 { fit.add(x: Double(x), y: 3 * Double(x) - 2) }
        #expect(abs(try #require(fit.slope) - 3) < 1e-12)
        #expect(try #require(fit.slopeError) < 1e-7)
        // y = ±1 in turn about 0: residual 1, sum of squares of x about its mean n(n²−1)/12.
        var noise = LineFit()
        for x in 0..<100 { noise.add(x: Double(x), y: x % 4 < 2 ? 1 : -1) }
        #expect(abs(try #require(noise.slopeError) - (1.0 / (100 * 9999.0 / 12)).squareRoot()) < 1e-3)
    }

    @Test("The interval under way counts once the index is finished")
    func delayFactorOfTheEnd() throws {
        var index = MediaDeliveryIndex(mediaRate: BitRate(bitsPerSecond: 8_000_000))
        for packet in 0..<1500 { index.add(mediaBytes: 1000, at: Instant(nanoseconds: Int64(packet) * 1_000_000)) }
        #expect(index.delayFactors.count == 1)
        index.finish()
        index.finish()
        #expect(index.delayFactors.count == 2)
        // A perfect flow: one packet's own time.
        #expect(index.delayFactors.maximum == 1_000_000)
    }
}
