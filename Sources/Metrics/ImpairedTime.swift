import Timebase

/// How long a substream's units are impaired, and the longest time that they are so without a break, on the program's
/// timeline.
///
/// Units come in decoding order, which is not that of presentation: stretches are put together until nothing can come
/// that would touch them.
public struct ImpairedTime: Sendable, Equatable {
    /// Of all impaired units together.
    public private(set) var total = TimeSpan.zero
    private var settled = TimeSpan.zero
    private var open: [ClosedRange<TimeSpan>] = []

    public init() {}

    /// The longest stretch of the timeline in which one impaired unit follows the other.
    public var longest: TimeSpan { open.map(Self.length).max().map { max($0, settled) } ?? settled }

    /// Takes an impaired unit.
    ///
    /// - Parameters:
    ///   - stretch: where it is presented on the program's timeline.
    ///   - decode: what comes later is not presented before this.
    public mutating func add(_ stretch: ClosedRange<TimeSpan>, decode: TimeSpan) {
        total += Self.length(stretch)
        var whole = stretch
        open.removeAll { other in
            if other.upperBound < decode, other.upperBound < stretch.lowerBound {
                settled = max(settled, Self.length(other))
                return true
            }
            guard other.overlaps(whole) else { return false }
            whole = min(whole.lowerBound, other.lowerBound)...max(whole.upperBound, other.upperBound)
            return true
        }
        open.append(whole)
    }

    private static func length(_ range: ClosedRange<TimeSpan>) -> TimeSpan { range.upperBound - range.lowerBound }
}
