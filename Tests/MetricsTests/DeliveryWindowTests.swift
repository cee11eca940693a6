@testable import Metrics
import Testing
import Timebase

@Suite("Delivery window: duplicates, loss runs (RFC 3357), reordering (RFC 4737)")
struct DeliveryWindowTests {
    private func fed(_ numbers: [Int64], first: Int64 = 0, sent: Int64?) -> DeliveryWindow {
        var window = DeliveryWindow(firstNumber: first)
        for number in numbers { _ = window.add(number: number) }
        window.finish(sentCount: sent)
        return window
    }

    @Test("each arrival is told for what it is")
    func verdicts() {
        var window = DeliveryWindow()
        let arrivals = [0, 2, 1, 2, 3, 3, 4000, 5, -1].map { window.add(number: $0) }
        #expect(
            arrivals == [
                .inOrder, .inOrder, .reordered, .duplicate, .inOrder, .duplicate, .inOrder, .outsideWindow,
                .outsideWindow,
            ])
        #expect(window.delivered == 5 && window.duplicates == 2 && window.reordered == 1 && window.outsideWindow == 2)
    }

    @Test("losses at the head, in the middle and at the tail, by run")
    func runs() {
        let window = fed([2, 3, 5, 6, 8, 9, 13], sent: 15)
        // Lost: 0 1, 4, 7, 10 11 12, 14.
        #expect(window.lost == 8)
        #expect(window.lossRuns.map(\.length) == [1, 2, 3])
        #expect(window.lossRuns.map(\.count) == [3, 1, 1])
    }

    @Test("nothing sent, nothing delivered, everything delivered", arguments: [0, 1, 63, 64, 65, 128, 5000])
    func allOrNothing(count: Int64) {
        let none = fed([], sent: count)
        #expect(none.delivered == 0 && none.lost == count)
        #expect(none.lossRuns.map(\.length) == (count == 0 ? [] : [count]))
        let all = fed(Array(0..<count), sent: count)
        #expect(all.delivered == count && all.lost == 0 && all.lossRuns.isEmpty)
    }

    @Test("a gap far wider than the window is one run", arguments: [1_000_000, 1_000_037])
    func wideGap(gap: Int64) {
        let window = fed([0, gap + 1], sent: gap + 2)
        #expect(window.lost == gap && window.lossRuns.map(\.length) == [gap] && window.lossRuns.map(\.count) == [1])
    }

    @Test("without a count of what was sent, the largest arrival was the last")
    func unknownSent() {
        let window = fed([1000, 1003, 1001], first: 1000, sent: nil)
        #expect(window.delivered == 3 && window.lost == 1 && window.reordered == 1)
    }

    @Test("random loss, copies and displacement agree with a set of all numbers", arguments: 1...8)
    func againstSet(seed: UInt64) {
        let key = DrawKey(seed: seed)
        let count: Int64 = 9000 + Int64(seed)
        let first = Int64(seed) * 17 - 40
        let loss = Probability(Double(seed) * 0.1)
        var arrivals: [(at: Int64, number: Int64)] = []
        for number in 0..<count where !loss.isHit(by: key.named("loss").draw(number)) {
            arrivals.append((number + Int64(key.named("late").draw(number) % 900), first + number))
            if key.named("copy").draw(number) % 10 == 0 {
                arrivals.append((number + Int64(key.named("late 2").draw(number) % 900), first + number))
            }
        }
        arrivals.sort { ($0.at, $0.number) < ($1.at, $1.number) }
        let window = fed(arrivals.map(\.number), first: first, sent: count)

        var seen: Set<Int64> = []
        var (reordered, duplicates, largest) = (Int64(0), Int64(0), Int64.min)
        for (_, number) in arrivals {
            if !seen.insert(number).inserted { duplicates += 1 } else if number < largest { reordered += 1 }
            largest = max(largest, number)
        }
        var runs: [Int64: Int64] = [:]
        var run: Int64 = 0
        for number in first...(first + count) {
            if number < first + count, !seen.contains(number) {
                run += 1
            } else if run > 0 {
                runs[run, default: 0] += 1
                run = 0
            }
        }
        #expect(window.delivered == Int64(seen.count) && window.lost == count - Int64(seen.count))
        #expect(window.duplicates == duplicates && window.reordered == reordered && window.outsideWindow == 0)
        #expect(window.lossRuns.map(\.length) == runs.keys.sorted())
        #expect(window.lossRuns.map(\.count) == runs.keys.sorted().map { runs[$0] })
    }

    @Test("the reordered ratio of RFC 4737: 1 2 3 7 4 5 6 8 has three reordered of eight")
    func ratio() {
        var detector = ReorderDetector()
        for number: Int64 in [1, 2, 3, 7, 4, 5, 6, 8] { detector.add(number: number) }
        #expect(detector.reordered == 3 && detector.ratio == 0.375 && detector.nextExpected == 9)
        #expect(ReorderDetector().ratio == nil)
    }
}
