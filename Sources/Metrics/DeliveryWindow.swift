import Timebase

/// What became of each number of a flow: delivered once, more than once, or never, with the runs of consecutive numbers
/// that never came (RFC 3357's loss periods).
///
/// A window of bits follows the largest number that has arrived. A number gets its one verdict, delivered or lost, when
/// it leaves the window; one that comes later than that is ``Arrival/outsideWindow`` and changes no verdict. Cost per
/// packet: one bit, and one 64-bit word of verdicts every 64 packets.
///
/// A receiver's own window (`ReceivedWindow`) is another thing: it gives no verdicts, and grows for a number that is older
/// than it, because a datagram that is thrown away as a copy is lost to the decoder.
@frozen
public struct DeliveryWindow: Sendable {
    /// What an arrival is.
    @frozen
    public enum Arrival: Sendable {
        /// The first copy, and no larger number came before it.
        case inOrder
        /// The first copy, after a larger number (RFC 4737).
        case reordered
        /// Another copy of what has arrived.
        case duplicate
        /// Too old to tell: below the window, where each number already has its verdict.
        case outsideWindow

        /// Whether it is a packet's first copy.
        @inlinable public var isFirst: Bool { self == .inOrder || self == .reordered }
    }

    /// First copies that arrived in the window.
    var delivered: Int64 { reorder.arrived }
    /// Those that came after a larger number.
    var reordered: Int64 { reorder.reordered }
    /// The largest number that has arrived; one below the first before any has.
    var largestNumber: Int64 { reorder.arrived > 0 ? reorder.nextExpected - 1 : firstNumber - 1 }
    /// Arrivals that were copies of what had arrived in the window.
    private(set) var duplicates: Int64 = 0
    /// Arrivals below the window.
    private(set) var outsideWindow: Int64 = 0
    /// Numbers that left the window without arriving.
    public private(set) var lost: Int64 = 0
    /// How many runs of each length of consecutive numbers never arrived, ascending; complete after `finish`.
    public private(set) var lossRuns: [(length: Int64, count: Int64)] = []
    /// The same losses as bursts and gaps (RFC 3611); complete after `finish`.
    private(set) var burstGap = BurstGap()

    @usableFromInline var reorder = ReorderDetector()
    /// Bits of the words `firstWord`..., word w at index w mod count; ones: arrived.
    @usableFromInline var words: [UInt64]
    @usableFromInline let firstNumber: Int64
    /// The oldest word without a verdict, counted from `firstNumber` in steps of 64.
    @usableFromInline var firstWord: Int64 = 0
    /// The length of the run of lost numbers that ends at the window's edge.
    var openRun: Int64 = 0

    /// - Parameters:
    ///   - firstNumber: the first number sent; all from it on are expected.
    ///   - window: how many numbers below the largest can still arrive; a power of two, at least 64. The window opens
    ///     in steps of 64, so that it holds between `window` − 63 and `window`.
    public init(firstNumber: Int64 = 0, window: Int = 1024) {
        precondition(window >= 64 && window & (window - 1) == 0)
        self.firstNumber = firstNumber
        words = Array(repeating: 0, count: window / 64)
    }

    /// Takes an arrival. Numbers before the first are outside the window.
    @inlinable
    public mutating func add(number: Int64) -> Arrival {
        let offset = number &- firstNumber
        let word = offset &>> 6
        guard word >= firstWord else { return countOutside() }
        if word &- firstWord >= Int64(words.count) { advance(toInclude: word) }
        let index = Int(truncatingIfNeeded: word) & (words.count &- 1)
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: offset & 63)
        let old = words[index]
        guard old & bit == 0 else { return countDuplicate() }
        words[index] = old | bit
        return reorder.add(number: number) ? .reordered : .inOrder
    }

    /// Gives every number below `firstNumber` + `sentCount` its verdict, so that those lost at the end count too.
    ///
    /// - Parameter sentCount: how many numbers were sent; fewer than have arrived is taken as all that have arrived.
    ///   Nil where only the receiver's side is known: the largest arrival was the last.
    public mutating func finish(sentCount: Int64? = nil) {
        let arrivedEnd = reorder.arrived > 0 ? reorder.nextExpected - firstNumber : 0
        let end = max(sentCount ?? 0, arrivedEnd)
        if end >> 6 >= firstWord + Int64(words.count) { advance(toInclude: end >> 6) }
        while firstWord < end >> 6 { closeWord(bits: 64) }
        if end & 63 > 0, firstWord == end >> 6 { closeWord(bits: end & 63) }
        closeRun()
    }

    @usableFromInline
    @inline(never)
    mutating func countOutside() -> Arrival {
        outsideWindow += 1
        return .outsideWindow
    }

    @usableFromInline
    @inline(never)
    mutating func countDuplicate() -> Arrival {
        duplicates += 1
        return .duplicate
    }

    /// Moves the window so that it ends with `word`.
    @usableFromInline
    @inline(never)
    mutating func advance(toInclude word: Int64) {
        let target = word - Int64(words.count) + 1
        for _ in 0..<min(target - firstWord, Int64(words.count)) { closeWord(bits: 64) }
        // What lies beyond a whole window of new numbers is a single run of lost ones.
        lost += (target - firstWord) * 64
        openRun += (target - firstWord) * 64
        firstWord = target
    }

    /// Gives the oldest word's first `bits` numbers their verdicts and takes the word into use for new numbers.
    private mutating func closeWord(bits: Int64) {
        let index = Int(truncatingIfNeeded: firstWord) & (words.count - 1)
        var arrived = words[index]
        words[index] = 0
        firstWord += 1
        if bits == 64, arrived == .max {
            closeRun()
            return burstGap.add(received: 64)
        }
        var remaining = bits
        while remaining > 0 {
            let missing = min(Int64(arrived.trailingZeroBitCount), remaining)
            lost += missing
            openRun += missing
            remaining -= missing
            guard remaining > 0 else { return }
            closeRun()
            arrived >>= UInt64(missing)
            let present = min(Int64((~arrived).trailingZeroBitCount), remaining)
            arrived >>= UInt64(present)
            remaining -= present
            burstGap.add(received: present)
        }
    }

    private mutating func closeRun() {
        guard openRun > 0 else { return }
        burstGap.add(lost: openRun)
        let index = lossRuns.firstIndex { $0.length >= openRun } ?? lossRuns.count
        if index < lossRuns.count, lossRuns[index].length == openRun {
            lossRuns[index].count += 1
        } else {
            lossRuns.insert((openRun, 1), at: index)
        }
        openRun = 0
    }
}
