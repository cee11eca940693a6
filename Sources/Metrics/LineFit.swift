/// A least-squares line through points, in one pass and constant memory (means and co-moments, as Welford updates them).
///
/// Coordinates count from the first point, so that nanoseconds since 1970 lose nothing.
@frozen
public struct LineFit: Sendable, BitwiseCopyable {
    /// Points so far.
    public private(set) var count: Int64 = 0
    /// Points of groups that are over, and how many these are.
    private var earlier: Int64 = 0
    private var groups: Int64 = 0
    private var meanX = 0.0
    private var meanY = 0.0
    private var sumXX = 0.0
    private var sumXY = 0.0
    private var sumYY = 0.0

    public init() {}

    /// Takes a point.
    public mutating func add(x: Double, y: Double) {
        count += 1
        let dx = x - meanX
        let dy = y - meanY
        meanX += dx / Double(count - earlier)
        meanY += dy / Double(count - earlier)
        sumXX += dx * (x - meanX)
        sumXY += dx * (y - meanY)
        sumYY += dy * (y - meanY)
    }

    /// Begins a group of points that has a line of its own, with the slope that all groups share.
    mutating func beginGroup() {
        guard count > earlier else { return }
        earlier = count
        groups += 1
        (meanX, meanY) = (0, 0)
    }

    /// Lines of different height.
    private var lines: Int64 { groups + (count > earlier ? 1 : 0) }

    /// y per x; nil when all x are the same.
    public var slope: Double? { count > 1 && sumXX > 0 ? sumXY / sumXX : nil }

    /// The sum of the squares that the line leaves over.
    var residual: Double { max(sumYY - (slope ?? 0) * sumXY, 0) }

    /// One standard error of the slope, as if what the line leaves over were independent; nil with fewer than three in one
    /// group.
    var slopeError: Double? {
        guard slope != nil, count > lines + 1 else { return nil }
        return (residual / Double(count - lines - 1) / sumXX).squareRoot()
    }
}
