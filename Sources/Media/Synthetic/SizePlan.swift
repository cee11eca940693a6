import Timebase

/// How much the units of a substream hold, PES headers not counted.
public enum UnitVolume: Sendable, Equatable {
    /// On average; exact in the long run.
    case bitRate(BitRate)
    /// Bytes a unit on average.
    case unitSize(Int)

    /// As a fraction; nil when it does not fit in 63 bits.
    func bytesPerUnit(_ rate: UnitRate) -> (bytes: Int64, units: Int64)? {
        switch self {
        case .unitSize(let size): return (Int64(size), 1)
        case .bitRate(let bitRate):
            // span · rate / (8 · count), reduced before multiplying.
            let common = greatestCommonDivisor(rate.span.nanoseconds, 8_000_000_000)
            let (numerator, denominator) = (rate.span.nanoseconds / common, 8_000_000_000 / common)
            let bits = Int64(clamping: bitRate.bitsPerSecond)
            let second = greatestCommonDivisor(bits, denominator)
            let third = greatestCommonDivisor(numerator, rate.count)
            let bytes = (numerator / third).multipliedReportingOverflow(by: bits / second)
            let units = (rate.count / third).multipliedReportingOverflow(by: denominator / second)
            return bytes.overflow || units.overflow ? nil : (bytes.partialValue, units.partialValue)
        }
    }
}

/// The sizes of a substream's units: a bit rate held exactly, shared out by weight and chance.
///
/// Units come in windows of at least fifty, whole groups of pictures each. A window gets the bytes that the rate
/// allows it, counted from the origin and rounded down to a byte; each unit gets what it needs at least and a share of
/// the rest in proportion to weight · (1 + u), u uniform in ±variation and drawn by the unit's number. So the rate
/// is exact over every window, and a unit's deviation is uniform but for the window's own mean, which is small.
struct SizePlan: Sendable {
    /// Weights and least sizes by position in the repeating pattern.
    /// What comes again and again.
    struct Pattern: Sendable {
        /// Of a unit's usual size, by position.
        let weights: [Int64]
        /// The least bytes of a unit, by position.
        let minimums: [Int]
        /// Unit 0 has position 0, unit n has n + `lead`, modulo the pattern; see ``GroupOfPictures/trailing``.
        var lead = 0
    }

    private let pattern: Pattern
    private let window: Int64
    private let key: DrawKey
    /// Variation in units of 2^-20.
    private let variation: Int64
    // Bytes per unit as a fraction.
    private let bytes: Int64
    private let units: Int64

    // The window under way: its sum of weights, the bytes to share out, and how much of either is given away.
    private var windowIndex: Int64 = -1
    private var total: Int64 = 0
    private var budget: Int64 = 0
    private var given: Int64 = 0

    /// - Parameters:
    ///   - volume: how much there is of all units together.
    ///   - variation: 0...1.
    /// - Returns: nil when the bytes of a unit, as a fraction, do not fit in 63 bits, or are 2^30 and more.
    init?(_ pattern: Pattern, volume: UnitVolume, rate: UnitRate, variation: Double, key: DrawKey) {
        self.pattern = pattern
        self.key = key.named("size")
        self.variation = Int64(variation * 0x1p20)
        let length = Int64(pattern.weights.count)
        window = (50 + length - 1) / length * length
        guard let (bytes, units) = volume.bytesPerUnit(rate), bytes / units < 1 << 30 else { return nil }
        self.bytes = bytes
        self.units = units
    }

    /// Whether every window has enough bytes for the least that its units need.
    var isFeasible: Bool {
        // The first window may have one more unit of position 0 than the others, and one fewer of another.
        let minimums = pattern.minimums
        let ordinary = minimums.reduce(0, +) * Int(window) / minimums.count
        let first = ordinary + (pattern.lead == 0 ? 0 : (minimums.max() ?? 0) - (minimums.min() ?? 0))
        return window.scaled(by: bytes, over: units) - 1 >= Int64(first)
    }

    private func position(_ index: Int64) -> Int {
        index == 0 ? 0 : Int((index + Int64(pattern.lead)) % Int64(pattern.weights.count))
    }

    private func weight(_ index: Int64) -> Int64 {
        let draw = Int64(key.draw(index) >> 43)  // 21 bits
        let deviation = (variation * (draw - (1 << 20))) >> 20
        return pattern.weights[position(index)] * ((1 << 20) + deviation)
    }

    private mutating func open(_ index: Int64) {
        windowIndex = index
        let first = index * window
        total = 0
        budget = (first + window).scaled(by: bytes, over: units) - first.scaled(by: bytes, over: units)
        given = 0
        for unit in first..<(first + window) {
            total += weight(unit)
            budget -= Int64(pattern.minimums[position(unit)])
        }
        budget = max(0, budget)
    }

    /// Bytes of the unit with this number. Ask for numbers in rising order.
    ///
    /// - Complexity: O(1), but for O(window) on entering a window.
    mutating func size(_ index: Int64) -> Int {
        if index / window != windowIndex { open(index / window) }
        let before = budget.scaled(by: given, over: max(1, total))
        given += weight(index)
        let share = budget.scaled(by: given, over: max(1, total)) - before
        return pattern.minimums[position(index)] + Int(share)
    }
}
