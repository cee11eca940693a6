@testable import Receiver
import Testing
import Timebase

@Suite("Reception statistics (RFC 3550 §A.1, §A.3, §A.8)")
struct ReceptionStatisticsTests {
    /// Packets with these sequence numbers, each at its place in time.
    static func statistics(_ sequence: [UInt16]) -> ReceptionStatistics {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        for number in sequence { add(number, to: &statistics) }
        return statistics
    }

    static func add(_ number: UInt16, to statistics: inout ReceptionStatistics) {
        _ = statistics.add(sequenceNumber: number, timestamp: 0, at: LocalInstant(nanoseconds: 0))
    }

    @Test("cumulative loss is what was expected less what came, duplicates and late ones counted")
    func cumulativeLost() {
        #expect(ReceptionStatistics(clockRate: 90_000).cumulativeLost == 0)
        let cases: [(sequence: [UInt16], lost: Int32, highest: UInt32)] = [
            ([5], 0, 5), ([5, 6, 9], 2, 9), ([5, 9, 7], 2, 9), ([5, 5, 6], -1, 6), ([65_534, 65_535, 1], 1, 0x1_0001),
            // One that began before the first received: more came than was expected (§A.3 allows it).
            ([65_535, 0, 65_534], -1, 0x1_0000), ([3, 2, 1], -2, 3),
        ]
        for item in cases {
            let statistics = Self.statistics(item.sequence)
            #expect(statistics.cumulativeLost == item.lost, "\(item.sequence)")
            #expect(statistics.extendedHighest == item.highest, "\(item.sequence)")
        }
    }

    @Test("sequence numbers wrap again and again, with losses and late ones over the wrap")
    func wrap() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        var received = 0
        for number in 60_000..<400_000 where number % 10 != 7 {
            Self.add(UInt16(truncatingIfNeeded: number), to: &statistics)
            received += 1
            // Each multiple of 65,536 again, twenty packets late.
            if number % 65_536 == 20 {
                Self.add(0, to: &statistics)
                received += 1
            }
        }
        #expect(statistics.extendedHighest == 399_999)
        #expect(statistics.cumulativeLost == Int32(340_000 - received))
    }

    /// 10 expected, 7 received: 3 × 256 / 10 = 76.8, cut.
    @Test("fraction lost is per interval, in 1/256, and 0 for none, for a surplus and for an empty interval")
    func fractionLost() {
        var statistics = Self.statistics([0, 1, 2, 4, 6, 8, 9])
        var share = FractionLost()
        #expect(share.take(statistics) == 76)
        #expect(share.take(statistics) == 0)
        for number in 10..<20 as Range<UInt16> { Self.add(number, to: &statistics) }
        #expect(share.take(statistics) == 0)
        Self.add(19, to: &statistics)
        Self.add(20, to: &statistics)
        #expect(share.take(statistics) == 0)
        // 1,000 expected, 1 received: 999 × 256 / 1,000 = 255.7.
        Self.add(1_020, to: &statistics)
        #expect(share.take(statistics) == 255)
        #expect(statistics.cumulativeLost == 3 + 999 - 1)
    }

    @Test("a report before the first packet does not spoil the one behind it")
    func earlyReport() {
        var statistics = ReceptionStatistics(clockRate: 90_000)
        var share = FractionLost()
        #expect(share.take(statistics) == 0)
        // 4 expected, 2 received.
        for number in [100, 103] as [UInt16] { Self.add(number, to: &statistics) }
        #expect(share.take(statistics) == 128)
    }

    /// d: 0, 90, 90 (back), 45: J×16 = 90; 90 + 90 − ((90 + 8) >> 4 = 6) = 174; 174 + 45 − (182 >> 4 = 11) = 208.
    @Test("jitter is §A.8's integer recursion, also where timestamp and arrival wrap")
    func jitter() {
        for base in [0, 0xffff_ff80] as [UInt32] {
            var statistics = ReceptionStatistics(clockRate: 90_000)
            let ms: Int64 = 1_000_000
            // Arrivals around 47,721.85 s, where 90 kHz ticks pass 2^32, and around 0.
            for start in [0, 47_721_840 * ms] {
                statistics = ReceptionStatistics(clockRate: 90_000)
                let packets: [(ticks: UInt32, at: Int64)] = [
                    (0, 0), (900, 11 * ms), (1_800, 20 * ms), (2_700, 30 * ms + ms / 2),
                ]
                for (index, packet) in packets.enumerated() {
                    _ = statistics.add(
                        sequenceNumber: UInt16(index), timestamp: base &+ packet.ticks,
                        at: LocalInstant(nanoseconds: start + packet.at))
                }
                #expect(statistics.jitter == 13)
            }
        }
    }
}

extension FractionLost {
    fileprivate mutating func take(_ statistics: ReceptionStatistics) -> UInt8 {
        take(expected: statistics.expected, received: statistics.received)
    }
}
