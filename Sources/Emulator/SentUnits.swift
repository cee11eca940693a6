import DequeModule
import Media

/// The units of one substream as they were sent, in decoding order, as long as some receiver may still tell of them.
struct SentUnits: Sendable {
    /// Units kept at most, should a receiver never tell of any: three quarters of an hour of pictures.
    private static let capacity = 1 << 16
    /// Units kept beside those of which nothing has been told yet: they are presented later than they are closed.
    private static let kept: Int64 = 1_024

    /// Bits of a unit's timestamp on the wire: of a PTS, of RTP's.
    let timestampBits: Int
    private var units = Deque<SentUnit>()
    /// The number of the first one kept; they are numbered from 0.
    private(set) var first: Int64 = 0

    /// The number of the next one.
    var end: Int64 { first + Int64(units.count) }

    init(timestampBits: Int) { self.timestampBits = timestampBits }

    subscript(_ number: Int64) -> SentUnit { units[Int(number - first)] }

    mutating func append(_ unit: SentUnit) { units.append(unit) }

    /// Whether it is time to forget what nobody needs.
    var isLong: Bool { units.count >= 4 * Int(Self.kept) && units.count.nonzeroBitCount == 1 }

    /// Forgets what lies far enough before the first unit of which some receiver has not told yet.
    mutating func forget(before number: Int64) {
        let count = max(Int(clamping: number - Self.kept - first), units.count - Self.capacity)
        guard count > 0 else { return }
        units.removeFirst(count)
        first += Int64(count)
    }

    /// The first unit from a number on that has this timestamp, as far as the wire tells, or none.
    func find(_ ticks: Int64?, from number: Int64) -> Int64? {
        guard let ticks else { return (number..<max(number, end)).first { !self[$0].media.hasTimestamp } }
        return (number..<max(number, end)).first { isEqual(self[$0].timestamp, ticks) }
    }

    /// A unit with this timestamp, as far as the wire tells: of those before a number the latest, if it is not long before, or one behind.
    func find(_ ticks: Int64, near number: Int64) -> Int64? {
        let start = max(first, number - Self.kept)
        if start < number {
            let earlier = (start..<number).reversed().first { isEqual(self[$0].timestamp, ticks) }
            if let earlier { return earlier }
        }
        return find(ticks, from: max(first, number))
    }

    private func isEqual(_ a: Int64, _ b: Int64) -> Bool { (a &- b) << Int64(64 - timestampBits) == 0 }
}
