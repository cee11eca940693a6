import Testing

@testable import Receiver

@Suite("Numbers received")
struct ReceivedWindowTests {
    @Test("what comes from far behind is new once, up to 32,768 behind")
    func deep() {
        var window = ReceivedWindow()
        for number in Int64(0)..<40_000 where number % 2 == 0 { #expect(window.insert(number) == true) }
        // Older than what was kept until now: taken as new, and known from then on.
        for number in [39_999, 39_001, 30_001, 20_001, 7_232] as [Int64] {
            #expect(window.insert(number) == true)
            #expect(window.insert(number) == false)
        }
        // What the window held before it grew is still known.
        for number in [39_998, 39_100, 7_230] as [Int64] { #expect(window.insert(number) == false) }
    }
}
