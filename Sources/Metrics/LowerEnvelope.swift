/// The line below all points of a series that lies closest to them: of all lines that no point is below, the one with
/// the least sum of vertical distances (Moon, Skelly and Towsley, INFOCOM 1999, for delays between two clocks).
///
/// That line is the edge of the lower convex hull above which the points' mean x lies. All arithmetic is exact.
public struct LowerEnvelope: Sendable {
    private struct Point: Sendable, BitwiseCopyable {
        var x: Int64
        var y: Int64
    }

    /// The lower hull, ascending.
    private var hull: [Point] = []
    private var sum: Int128 = 0
    private var count: Int128 = 0

    public init() {}

    /// Takes a point; x never decreases, and both lie within ±2^61.
    ///
    /// - Complexity: amortized O(1); the hull is what memory it takes.
    public mutating func add(x: Int64, y: Int64) {
        sum += Int128(x)
        count += 1
        if let last = hull.last, last.x == x {
            guard y < last.y else { return }
            hull.removeLast()
        }
        while hull.count > 1, !isConvex(hull[hull.count - 2], hull[hull.count - 1], x, y) { hull.removeLast() }
        hull.append(Point(x: x, y: y))
    }

    /// Whether the path turns left at `second`.
    private func isConvex(_ first: Point, _ second: Point, _ x: Int64, _ y: Int64) -> Bool {
        let before = Int128(second.y - first.y) * Int128(x - second.x)
        let after = Int128(y - second.y) * Int128(second.x - first.x)
        return before < after
    }

    /// The edge that is the line: its index in the hull; nil without two different x.
    private var edge: Int? {
        guard hull.count > 1 else { return nil }
        let found = hull.dropFirst().firstIndex { Int128($0.x) * count >= sum } ?? hull.count - 1
        return found - 1
    }

    /// y per x; nil without two different x.
    public var slope: Double? {
        guard let edge else { return nil }
        return Double(hull[edge + 1].y - hull[edge].y) / Double(hull[edge + 1].x - hull[edge].x)
    }

    /// The line's y at an x, rounded down; nil without points. With points of a single x it is level.
    public func value(at x: Int64) -> Int64? {
        guard let edge else { return hull.first?.y }
        let (from, to) = (hull[edge], hull[edge + 1])
        let rise = Int128(to.y - from.y) * Int128(x - from.x)
        let (quotient, remainder) = rise.quotientAndRemainder(dividingBy: Int128(to.x - from.x))
        return Int64(clamping: Int128(from.y) + quotient - (remainder < 0 ? 1 : 0))
    }

    /// The least y; nil without points.
    public var minimum: Int64? { hull.map(\.y).min() }
}
