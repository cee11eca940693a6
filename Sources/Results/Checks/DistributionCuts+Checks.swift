import Metrics
import Scenario

extension DistributionCuts {
    /// Where the quantiles that checks ask for are to be counted.
    public init(of checks: [Check]) {
        self.init()
        for check in checks { add(check.metric, check.comparison, check.limit) }
    }

    private mutating func add(_ metric: Metric, _ comparison: Comparison, _ limit: JSONValue) {
        guard let quantity = metric.quantity else { return }
        for cut in comparison.cuts(at: limit) { add(cut, to: quantity) }
    }
}

extension Check {
    var cuts: [Int64] { comparison.cuts(at: limit) }
}

extension Comparison {
    /// The whole numbers that values must be known to be at most, for the comparison with a limit to be known.
    fileprivate func cuts(at limit: JSONValue) -> [Int64] {
        guard let number = limit.double else { return [] }
        let down = limit.integer ?? Int64(exactly: number.rounded(.down))
        let up = limit.integer ?? Int64(exactly: number.rounded(.up))
        let below = up.flatMap { $0 > .min ? $0 - 1 : nil }
        return switch self {
        case .lessOrEqual, .greater: [down].compactMap(\.self)
        case .less, .greaterOrEqual: [below].compactMap(\.self)
        case .equal, .notEqual: [below, down].compactMap(\.self)
        }
    }
}
