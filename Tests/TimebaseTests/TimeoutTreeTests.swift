import Testing

@testable import Timebase

@Suite("Timeout tree")
struct TimeoutTreeTests {
    @Test(
        "the earliest is what a search of all timeouts finds, the lowest component first", arguments: [1, 2, 3, 8, 13])
    func againstSearch(count: Int) {
        var tree = TimeoutTree(count: count)
        var times = Array(repeating: Instant.distantFuture, count: count)
        let key = DrawKey(seed: 11)
        for step in 0..<2_000 as Range<Int64> {
            let component = Int(key.draw(2 * step) % UInt64(count))
            let draw = key.draw(2 * step + 1) % 12
            let time = draw == 0 ? Instant.distantFuture : Instant(nanoseconds: Int64(draw))
            tree.set(component, to: time)
            times[component] = time
            let least = times.min() ?? .distantFuture
            #expect(tree.earliestInstant == least)
            #expect(tree[component] == time)
            if least != .distantFuture {
                #expect(tree.earliest.component == times.firstIndex(of: least))
                #expect(tree.earliest.at == least)
            }
        }
    }
}

@Suite("Cursor on a periodic grid")
struct PeriodicGridCursorTests {
    @Test(
        "a walk gives each event the time that the grid gives it, wherever it begins",
        arguments: [(30_000, 1_001_000_000_000), (8_000_000, 1_504_000_000_000), (7, 3), (3, 7), (1, 1)]
            as [(Int64, Int64)])
    func walk(count: Int64, nanoseconds: Int64) {
        let grid = PeriodicGrid(count: count, every: .nanoseconds(nanoseconds))
        for start in [0, 1, 12_345_678] as [Int64] {
            var cursor = PeriodicGrid.Cursor(grid, at: start)
            for index in start..<start + 500 {
                #expect(cursor.index == index)
                #expect(cursor.time == grid.time(index))
                #expect(cursor.nextTime == grid.time(index + 1))
                cursor.advance()
            }
        }
    }
}
