import Metrics
import Timebase

/// How far apart receivers truly play.
struct PositionLedger: Sendable {
    /// The time between two looks at where receivers play.
    static let interval = TimeSpan.milliseconds(10)

    private var spreads: Histogram
    /// Of each receiver, where it played at the latest look.
    private(set) var positions: [TimeSpan?]

    init(receivers: Int, cuts: [Int64]) {
        positions = Array(repeating: nil, count: receivers)
        spreads = Histogram(cuts: cuts)
    }

    /// - Parameter positions: of each receiver.
    mutating func note(positions: [TimeSpan?]) {
        self.positions = positions
        if let latestSpread { spreads.add(latestSpread.nanoseconds) }
    }

    /// The largest less the smallest position at the latest look; nil where fewer than two receivers had one.
    var latestSpread: TimeSpan? { Self.spread(positions) }

    /// How far apart receivers were, at every look.
    var spread: Distribution? { spreads.distribution }

    /// The largest less the smallest of positions; nil of fewer than two.
    static func spread(_ positions: [TimeSpan?]) -> TimeSpan? {
        let known = positions.compactMap(\.self)
        guard known.count > 1, let least = known.min(), let largest = known.max() else { return nil }
        return largest - least
    }
}
