import Timebase

/// The sum of what an oscillator's frequency has departed from one, up to a second of true time.
///
/// Frequencies are parts per 10^18, and sums of them times nanoseconds are whole numbers of 128 bits: over 10 years, at a
/// thousandth, 3 × 10^32.
struct OscillatorDeparture: Sendable, BitwiseCopyable {
    /// The second that ``gained`` reaches to the beginning of.
    private var second: Int64 = 0
    /// What has been gained on true time until then, in 10^-18 ns.
    private var gained: Int128 = 0
    /// The frequency error in this second.
    private var frequency: Int64 = 0
    private var walk: Int64 = 0
    /// What is the same in all seconds: the oscillator's own error, and what was set later.
    private var constant: Int128
    private var added: Int64 = 0

    private static let parts: Int128 = 1_000_000_000_000_000_000
    private static let billion: Int64 = 1_000_000_000
    /// How far ahead an instant is looked for, in seconds.
    private static let horizon: Int64 = 1 << 17

    init(_ noise: OscillatorNoise, constant: Int128) {
        self.constant = constant
        frequency = frequency(in: 0, noise)
    }

    /// Parts per 10^12.
    var frequencyError: Int64 { frequency / 1_000_000 }

    /// Noise may not stop the clock: it is held to a half either way, and the sum to a quarter of the time's pace.
    private func frequency(in second: Int64, _ noise: OscillatorNoise) -> Int64 {
        let departed = Int128(walk) + noise.departure(in: second) + Int128(added)
        let sum = constant + min(max(departed, -Self.parts / 2), Self.parts / 2)
        return Int64(clamping: max(sum, min(constant, -Self.parts * 3 / 4)))
    }

    /// The same at the second that holds an instant, or as it is if that is earlier.
    func advanced(to instant: Instant, _ noise: OscillatorNoise) -> OscillatorDeparture {
        guard instant.nanoseconds / Self.billion > second else { return self }
        var next = self
        if noise.isNone { return next }
        while instant.nanoseconds / Self.billion > next.second { next.step(noise) }
        return next
    }

    private mutating func step(_ noise: OscillatorNoise) {
        gained += Int128(frequency) * Int128(Self.billion)
        second += 1
        walk += noise.walk(into: second)
        frequency = frequency(in: second, noise)
    }

    /// From an instant in this second on another frequency is added.
    mutating func set(_ added: Int64, at instant: Instant) {
        let before = frequency
        let change = Int128(added) - Int128(self.added)
        self.added = added
        frequency = Int64(min(max(Int128(frequency) + change, -Self.parts * 3 / 4), Self.parts * 4))
        // The line through the second is kept by its value at the second's begin.
        gained += Int128(before - frequency) * Int128(instant.nanoseconds - second * Self.billion)
    }

    /// What has been gained on true time at an instant of this second, in nanoseconds, rounded down.
    func gain(at instant: Instant) -> Int64 {
        let sum = gained + Int128(frequency) * Int128(instant.nanoseconds - second * Self.billion)
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: Self.parts)
        return Int64(quotient) - (remainder < 0 ? 1 : 0)
    }

    /// The earliest instant at which true time and what has been gained on it come to `elapsed`.
    func instant(showing elapsed: Int64, _ noise: OscillatorNoise) -> Instant {
        var departure = self
        let last = second + Self.horizon
        while true {
            let found = departure.lineReaches(elapsed)
            if noise.isNone { return Instant(nanoseconds: found) }
            let end = (departure.second + 1) * Self.billion
            if found <= end { return Instant(nanoseconds: found) }
            if departure.second == last { return Instant(nanoseconds: end) }
            departure.step(noise)
        }
    }

    /// When this second's line, prolonged, comes to `elapsed`: t + floor((gained + f × (t − second)) / 10^18) ≥ elapsed.
    private func lineReaches(_ elapsed: Int64) -> Int64 {
        let begin = Int128(second) * Int128(Self.billion)
        let target = Int128(elapsed) * Self.parts - gained + Int128(frequency) * begin
        let (quotient, remainder) = target.quotientAndRemainder(dividingBy: Self.parts + Int128(frequency))
        return Int64(clamping: quotient + (remainder > 0 ? 1 : 0))
    }
}
