@testable import Metrics
import Testing
import Timebase

@Suite("Interarrival jitter (RFC 3550 §6.4.1, §A.8)")
struct InterarrivalJitterTests {
    private func fed(_ rate: UInt32, _ packets: [(arrival: Int64, timestamp: UInt32)]) -> InterarrivalJitter {
        var jitter = InterarrivalJitter(clockRate: rate)
        for packet in packets {
            jitter.add(arrival: Instant(nanoseconds: packet.arrival), rtpTimestamp: packet.timestamp)
        }
        return jitter
    }

    @Test("20 ms packets at 8 kHz arriving at 0, 20, 45, 60, 80 ms: computed by hand", arguments: [0, 0xffff_fee0])
    func byHand(start: UInt32) {
        // |D| = 0, 5, 5, 0 ms. J = 0, 5/16, 5/16 + (5 − 5/16)/16, that · 15/16. The second start wraps between packets.
        let jitter = fed(
            8000,
            [0, 20, 45, 60, 80].enumerated().map { ($1 * 1_000_000, start &+ UInt32($0) &* 160) })
        #expect(jitter.last == 567_626.953125)
        #expect(
            jitter.measurements
                == InterarrivalJitterMeasurements(
                    mean: 371_399, maximum: 605_469, last: 567_627))
    }

    @Test("a third of a nanosecond per packet is not rounded away")
    func fractions() throws {
        var jitter = InterarrivalJitter(clockRate: 90_000)
        for index in 0...2000 as ClosedRange<Int64> {
            // 3003 ticks are 33,366,666 2/3 ns.
            jitter.add(arrival: Instant(nanoseconds: index * 33_366_667), rtpTimestamp: UInt32(index) &* 3003)
        }
        #expect(abs(try #require(jitter.last) - 1.0 / 3) < 1e-12)
    }

    @Test("a duplicate counts as an arrival, a reordered packet counts with a negative timestamp step")
    func duplicatesAndReordering() {
        // |D| = |20 − 0| (duplicate after 20 ms), then 40 ms in 0 ms, then −20 ms in 10 ms.
        let jitter = fed(8000, [(0, 0), (20_000_000, 0), (20_000_000, 320), (30_000_000, 160)])
        let first = 20e6 / 16
        let second = first + (40e6 - first) / 16
        let third = second + (30e6 - second) / 16
        #expect(jitter.last == third)
        #expect(jitter.measurements?.maximum == Int64(third.rounded()))
    }

    @Test("a beginning anew makes no difference of its own; the jitter goes on from where it was")
    func beginning() {
        var jitter = fed(8000, [(0, 0), (25_000_000, 160)])
        jitter.begin(clockRate: 48_000)
        #expect(jitter.last == 5e6 / 16)
        jitter.add(arrival: Instant(nanoseconds: 9_000_000_000), rtpTimestamp: 77)
        #expect(jitter.last == 5e6 / 16)
        jitter.add(arrival: Instant(nanoseconds: 9_020_000_000), rtpTimestamp: 77 + 960)
        #expect(jitter.last == 5e6 / 16 * 15 / 16)
        #expect(jitter.measurements?.maximum == 312_500 && jitter.measurements?.mean == 302_734)
    }

    @Test("nothing is measured without two packets")
    func tooFew() {
        #expect(fed(8000, []).measurements == nil)
        #expect(fed(8000, []).last == nil)
        #expect(fed(8000, [(5, 7)]).measurements == nil)
        #expect(fed(8000, [(5, 7)]).last == 0)
    }

    @Test("steps at the ends of the ranges do not trap")
    func extremes() {
        let jitter = fed(.max, [(.min / 2, 0), (.max / 2, 0x8000_0000), (0, 0), (.max / 2, .max)])
        #expect((jitter.last ?? 0) > 0)
    }
}
