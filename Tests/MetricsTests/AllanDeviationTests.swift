@testable import Metrics
import Testing

@Suite("Allan deviation (NIST SP 1065)")
struct AllanDeviationTests {
    /// The 1000-point set of §12.4: n ← 16807 n mod (2^31 − 1) from 1234567890, over 2^31 − 1.
    static let frequencies: [Double] = {
        var number: Int64 = 1_234_567_890
        return (0..<1_000).map { _ in
            defer { number = number * 16_807 % 2_147_483_647 }
            return Double(number) / 2_147_483_647
        }
    }()

    /// To as many digits as the table prints.
    private func agrees(_ value: Double?, _ table: Double) -> Bool {
        guard let value else { return false }
        return abs(value - table) <= 0.500_1e-7 * (table >= 1 ? 10 : table >= 0.1 ? 1 : 0.1)
    }

    @Test(
        "the published deviations of the 1000-point set, to seven digits",
        arguments: [
            (1, 0.2922319, 0.2922319, 0.2922319, 0.1687202), (10, 0.09965736, 0.09159953, 0.06172376, 0.3563623),
            (100, 0.03897804, 0.03241343, 0.02170921, 1.253382),
        ])
    func published(factor: Int, normal: Double, overlapping: Double, modified: Double, time: Double) {
        let deviation = AllanDeviation(frequencies: Self.frequencies, interval: 1)
        #expect(agrees(deviation.normal(factor), normal) && agrees(deviation.overlapping(factor), overlapping))
        #expect(agrees(deviation.modified(factor), modified) && agrees(deviation.time(factor), time))
    }

    @Test("by hand: phases 0, 1, 4, 9 every two seconds")
    func hand() {
        // Both second differences are 2: √(4 / 2) / 2 s. Over two intervals none.
        let deviation = AllanDeviation(phases: [0, 1, 4, 9], interval: 2)
        #expect(deviation.overlapping(1) == 2.0.squareRoot() / 2 && deviation.normal(1) == 2.0.squareRoot() / 2)
        #expect(deviation.modified(1) == 2.0.squareRoot() / 2 && deviation.time(1).map { $0 > 0 } == true)
        #expect(deviation.overlapping(2) == nil && deviation.modified(2) == nil && deviation.normal(0) == nil)
        #expect(AllanDeviation(phases: [], interval: 1).overlapping(1) == nil)
        #expect(AllanDeviation(phases: [5], interval: 1).time(1) == nil)
    }

    @Test("a constant drift D has the deviation D τ / √2")
    func drift() throws {
        let phases = (0..<1_000).map { Double($0 * $0) * 0.5e-9 }
        let deviation = AllanDeviation(phases: phases, interval: 1)
        for factor in [1, 7, 100] {
            let value = try #require(deviation.overlapping(factor))
            #expect(abs(value / (1e-9 * Double(factor) / 2.0.squareRoot()) - 1) < 1e-9)
        }
    }
}
