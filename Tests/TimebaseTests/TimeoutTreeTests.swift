import Testing

@testable import Timebase

@Suite("Timeout tree")
struct TimeoutTreeTests {
    @Test("the earliest wins, of equal ones the lowest number, whatever was set before", arguments: [1, 2, 3, 8, 37])
    func againstMinimum(count: Int) {
        let key = DrawKey(seed: 8)
        var tree = TimeoutTree(count: count)
        var times = [Instant](repeating: .distantFuture, count: count)
        #expect(tree.earliest.component == 0 && tree.earliest.at == .distantFuture)
        for step in 0..<2000 as Range<Int64> {
            let draw = key.draw(step)
            let component = Int(draw % UInt64(count))
            // Few instants, so that ties are common; one in seven is "never".
            let time = draw >> 32 % 7 == 0 ? Instant.distantFuture : Instant(nanoseconds: Int64(draw >> 40 % 10))
            times[component] = time
            tree.set(component, to: time)
            let earliest = times.min() ?? .zero
            #expect(tree.earliest.at == earliest && tree.earliest.component == times.firstIndex(of: earliest))
            #expect(tree[component] == time)
        }
    }
}
