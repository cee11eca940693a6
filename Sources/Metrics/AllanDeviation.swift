/// How a clock's frequency varies from one stretch of time to the next, by the length of the stretch: the two-sample
/// deviations of NIST SP 1065 §5.2.
///
/// Pure numbers but for the time deviation; nil where there are too few samples.
public struct AllanDeviation: Sendable {
    /// Time errors at even intervals, in seconds.
    private let phases: [Double]
    /// From one to the next, in seconds.
    private let interval: Double

    /// - Parameters:
    ///   - phases: a clock's errors at even intervals, in seconds.
    ///   - interval: in seconds.
    public init(phases: [Double], interval: Double) {
        self.phases = phases
        self.interval = interval
    }

    /// - Parameter frequencies: mean frequency errors over even intervals, as numbers.
    init(frequencies: [Double], interval: Double) {
        var phases = [0.0]
        phases.reserveCapacity(frequencies.count + 1)
        for frequency in frequencies { phases.append(phases[phases.count - 1] + frequency * interval) }
        self.init(phases: phases, interval: interval)
    }

    /// The second difference over so many intervals, from an index on.
    private func difference(_ index: Int, _ factor: Int) -> Double {
        phases[index + 2 * factor] - 2 * phases[index + factor] + phases[index]
    }

    /// The Allan deviation from stretches of `factor` intervals end to end (§5.2.2).
    ///
    /// - Complexity: O(n / factor).
    public func normal(_ factor: Int) -> Double? {
        deviation(factor, indices: stride(from: 0, to: phases.count - 2 * factor, by: max(1, factor)))
    }

    /// The same from all stretches that there are (§5.2.4): the same expectation, more surely.
    ///
    /// - Complexity: O(n).
    public func overlapping(_ factor: Int) -> Double? {
        deviation(factor, indices: stride(from: 0, to: phases.count - 2 * factor, by: 1))
    }

    private func deviation(_ factor: Int, indices: StrideTo<Int>) -> Double? {
        var (sum, count) = (0.0, 0.0)
        for index in indices {
            let difference = difference(index, factor)
            sum += difference * difference
            count += 1
        }
        guard factor > 0, count > 0 else { return nil }
        return (sum / (2 * count)).squareRoot() / (Double(factor) * interval)
    }

    /// The modified Allan deviation (§5.2.5), which tells white from flicker phase noise.
    ///
    /// - Complexity: O(n).
    func modified(_ factor: Int) -> Double? {
        let count = phases.count - 3 * factor + 1
        guard factor > 0, count > 0 else { return nil }
        // The mean over `factor` second differences, moved along.
        var window = (0..<factor).reduce(0) { $0 + difference($1, factor) }
        var sum = window * window
        for index in 1..<max(1, count) {
            window += difference(index + factor - 1, factor) - difference(index - 1, factor)
            sum += window * window
        }
        return (sum / (2 * Double(count))).squareRoot() / (Double(factor) * Double(factor) * interval)
    }

    /// The time deviation (§5.2.6), in seconds: the modified one times the stretch over √3.
    ///
    /// - Complexity: O(n).
    public func time(_ factor: Int) -> Double? {
        modified(factor).map { $0 * Double(factor) * interval / 3.0.squareRoot() }
    }
}
