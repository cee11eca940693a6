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

    @Test("a burst in one interval does not show in the next")
    func intervals() {
        var index = MediaDeliveryIndex(mediaRate: Self.rate)
        for number in 0..<700 as Range<Int64> {
            let time = number * Self.own
            // Five that were due in the middle of the second interval come together.
            let burst = (355...359).contains(number) ? 359 * Self.own : time
            index.add(mediaBytes: 1316, at: Instant(nanoseconds: burst))
        }
        #expect(index.delayFactors.count == 2)
        #expect(index.delayFactors.minimum == Self.own && index.delayFactors.maximum == 5 * Self.own)
        #expect(largest(index) == 5 * Self.own)
    }

    @Test(
        "a silence shows wherever it lies", arguments: [100, 300, 700, 1_000, 2_500, 7_200] as [Int64],
        [0, 350, 900] as [Int64])
    func silences(milliseconds: Int64, phase: Int64) throws {
        var index = MediaDeliveryIndex(mediaRate: Self.rate)
        let begin = (3_000 + phase) * 1_000_000
        let end = begin + milliseconds * 1_000_000
        var time: Int64 = 0
        while time < 14_000_000_000 {
            if !(begin..<end).contains(time) { index.add(mediaBytes: 1316, at: Instant(nanoseconds: time)) }
            time += Self.own
        }
        index.finish()
        // Its longest part in one interval, with a packet's time before and behind.
        let parts = (3...11).map { second in
            min(end, (second + 1) * 1_000_000_000) - max(begin, second * 1_000_000_000)
        }
        let longest = try #require(parts.max())
        let found = try #require(index.delayFactors.maximum)
        #expect((longest...longest + 2 * Self.own).contains(found))
        #expect(index.delayFactors.count == 14)
    }

    @Test("nothing is measured of nothing")
    func empty() {
        #expect(largest(MediaDeliveryIndex(mediaRate: Self.rate)) == nil)
        #expect(MediaDeliveryIndex.mediaLossRate(lostMediaPackets: 7, over: .zero) == nil)
        #expect(MediaDeliveryIndex.mediaLossRate(lostMediaPackets: 14, over: .seconds(4)) == 3.5)
    }
}
