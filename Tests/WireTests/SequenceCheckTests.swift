import Testing
import Wire

@Suite("Validity of sequence numbers (RFC 3550 §A.1)")
struct SequenceCheckTests {
    private func verdicts(_ numbers: [(UInt16, isFar: Bool)]) -> [SequenceCheck.Verdict] {
        var check = SequenceCheck()
        return numbers.map { check.take($0.0, isFar: $0.isFar) }
    }

    @Test("what is near goes on; a jump is confirmed by the number behind it, over the wrap too")
    func confirmed() {
        #expect(
            verdicts([(1, false), (2, false), (9_000, true), (9_001, true)]) == [.goesOn, .goesOn, .jumps, .confirms])
        #expect(verdicts([(5, false), (65_535, true), (0, false)]) == [.goesOn, .jumps, .confirms])
    }

    @Test("a jump that nothing confirms stays alone, and a packet between unsays it")
    func strays() {
        #expect(verdicts([(9_000, true), (2, false), (9_001, true)]) == [.jumps, .goesOn, .jumps])
        #expect(verdicts([(9_000, true), (20_000, true), (9_001, true)]) == [.jumps, .jumps, .jumps])
        #expect(verdicts([(9_000, true), (9_000, true), (9_001, true)]) == [.jumps, .jumps, .confirms])
    }
}
