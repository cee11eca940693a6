@testable import Metrics
import Testing
import Timebase

@Suite("Media delivery index (RFC 4445)")
struct MediaDeliveryIndexTests {
    static let rate = BitRate(bitsPerSecond: 2_500_000)
    /// A datagram of seven transport packets at 2.5 Mbit/s.
    static let own: Int64 = 4_211_200

    /// The largest delay factor of all intervals, that under way too.
    private func largest(_ index: MediaDeliveryIndex) -> Int64? {
        var index = index
        index.finish()
        return index.delayFactors.maximum
    }

    @Test("a perfect flow has its packet's own time, in every interval")
    func perfect() {
        var index = MediaDeliveryIndex(mediaRate: Self.rate)
        for number in 0..<1000 as Range<Int64> {
            index.add(mediaBytes: 1316, at: Instant(nanoseconds: 77 + number * Self.own))
        }
        #expect(largest(index) == Self.own)
        #expect(index.delayFactors.count == 4 && index.delayFactors.minimum == Self.own)
    }

    @Test("ten packets at once hold ten packets' time; a silence holds its length more than one")
    func bursts() {
        var burst = MediaDeliveryIndex(mediaRate: Self.rate)
        for _ in 0..<10 { burst.add(mediaBytes: 1316, at: .zero) }
        #expect(largest(burst) == 10 * Self.own)
        var gap = MediaDeliveryIndex(mediaRate: Self.rate)
        gap.add(mediaBytes: 1316, at: .zero)
        // Highest just after the first packet, lowest just before the second.
        gap.add(mediaBytes: 1316, at: Instant(nanoseconds: 300_000_000))
        #expect(largest(gap) == 300_000_000)
    }

    @Test("intervals are apart: a burst in the second does not show in the third; an empty one does not exist")
    func intervals() {
        var index = MediaDeliveryIndex(mediaRate: Self.rate)
        index.add(mediaBytes: 1316, at: .zero)
        for _ in 0..<5 { index.add(mediaBytes: 1316, at: Instant(nanoseconds: 1_999_999_999)) }
        index.add(mediaBytes: 1316, at: Instant(nanoseconds: 4_000_000_000))
        #expect(index.delayFactors.count == 2)
        #expect(index.delayFactors.minimum == Self.own && index.delayFactors.maximum == 5 * Self.own)
        #expect(largest(index) == 5 * Self.own)
    }

    @Test("nothing is measured of nothing")
    func empty() {
        #expect(largest(MediaDeliveryIndex(mediaRate: Self.rate)) == nil)
        #expect(MediaDeliveryIndex.mediaLossRate(lostMediaPackets: 7, over: .zero) == nil)
        #expect(MediaDeliveryIndex.mediaLossRate(lostMediaPackets: 14, over: .seconds(4)) == 3.5)
    }
}
