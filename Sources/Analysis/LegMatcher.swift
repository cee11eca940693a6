import Metrics
import Timebase
import Wire

/// Puts one stream's packets of two legs side by side.
///
/// Packets are the same that have the same number and timestamp, so that clocks of the captures that differ, outages and
/// new beginnings on either leg put nothing out of place.
struct LegMatcher {
    /// A packet that at least one leg brought; instants in nanoseconds by that leg's capture.
    private struct Row {
        var number: Int64
        var arrivals: (Int64?, Int64?)
    }

    /// When each capture began and ended.
    private let spans: (ClosedRange<Int64>, ClosedRange<Int64>)
    private var rows: [Row] = []
    /// Rows that both captures had not the time to see.
    private var leftOut: Int64 = 0
    /// Packets of both legs that have the same number and another timestamp.
    private var strangers: Int64 = 0
    private var result: LegMeasurements
    private var waits: [Int64] = []

    /// Numbers that neither leg has in a row, more than which are a new beginning (RFC 3550 §A.1).
    private static let mostMissing = SequenceCheck.maximumDropout
    /// A gap over which a leg's arrivals are taken to have come evenly.
    private static let shortGap: Int64 = 1_000_000_000

    init(
        _ result: LegMeasurements, _ first: [LegLog.Packet], _ second: [LegLog.Packet],
        spans: (ClosedRange<Int64>, ClosedRange<Int64>)
    ) {
        self.result = result
        self.spans = spans
        let numbers = Self.numbers(first)
        join(
            zip(numbers, first).map { .init(number: $0, packet: $1) },
            zip(Self.numbers(second, as: first, numbers), second).map { .init(number: $0, packet: $1) })
    }

    func measured(_ holds: [TimeSpan]) -> LegMeasurements {
        var copy = self
        copy.measure(holds)
        return copy.result
    }

    /// Numbers that do not wrap, of packets in the order of their arrival. Where they fall back and go on from there the
    /// stream began anew, and is numbered far from what was.
    private static func numbers(_ packets: [LegLog.Packet]) -> [Int64] {
        var unwrapper = WrapUnwrapper(bits: 16)
        var (shift, highest) = (Int64(0), Int64.min)
        var numbers: [Int64] = []
        numbers.reserveCapacity(packets.count)
        for (index, packet) in packets.enumerated() {
            let number = unwrapper.nearest(UInt64(packet.sequenceNumber))
            let isBack = highest > .min && number + shift < highest - SequenceCheck.maximumMisorder
            if isBack {
                // A single one is late, or nobody's.
                let next = index + 1 < packets.count ? packets[index + 1].sequenceNumber : packet.sequenceNumber
                guard next == packet.sequenceNumber &+ 1 else {
                    numbers.append(number + shift)
                    continue
                }
                shift += 1 << 32
            }
            _ = unwrapper.unwrap(UInt64(packet.sequenceNumber))
            numbers.append(number + shift)
            highest = max(highest, number + shift)
        }
        return numbers
    }

    /// The numbers that the other leg's copies have; of what that lost, those that lie beside them.
    private static func numbers(
        _ packets: [LegLog.Packet], as others: [LegLog.Packet], _ known: [Int64]
    ) -> [Int64] {
        let order = others.indices.sorted {
            (others[$0].identity, known[$0]) < (others[$1].identity, known[$1])
        }
        func found(_ identity: UInt64) -> Int64? {
            var (low, high) = (0, order.count)
            while low < high {
                let middle = (low + high) / 2
                if others[order[middle]].identity < identity { low = middle + 1 } else { high = middle }
            }
            guard low < order.count, others[order[low]].identity == identity else { return nil }
            return known[order[low]]
        }
        var own = numbers(packets)
        let matches = packets.map { found($0.identity) }
        guard let first = matches.indices.first(where: { matches[$0] != nil }), let number = matches[first] else {
            return own
        }
        var shift = number - own[first]
        for index in own.indices {
            if let number = matches[index] {
                shift = number - own[index]
                own[index] = number
            } else {
                own[index] += shift
            }
        }
        return own
    }

    /// A leg's packet under the number that both legs have for it.
    private struct Numbered {
        var number: Int64
        var packet: LegLog.Packet
    }

    /// The first copy of each packet, in the order of their numbers.
    private mutating func join(_ first: [Numbered], _ second: [Numbered]) {
        func sorted(_ packets: [Numbered]) -> [Numbered] {
            var kept: [Numbered] = []
            kept.reserveCapacity(packets.count)
            for packet in packets.sorted(by: { ($0.number, $0.packet.instant) < ($1.number, $1.packet.instant) })
            where kept.last?.number != packet.number {
                kept.append(packet)
            }
            return kept
        }
        let (one, other) = (sorted(first), sorted(second))
        var (i, j) = (0, 0)
        while i < one.count || j < other.count {
            let number = min(i < one.count ? one[i].number : .max, j < other.count ? other[j].number : .max)
            let mine = i < one.count && one[i].number == number ? one[i].packet : nil
            let theirs = j < other.count && other[j].number == number ? other[j].packet : nil
            if let mine, let theirs, mine.identity != theirs.identity { strangers += 1 }
            if mine != nil { i += 1 }
            if theirs != nil { j += 1 }
            rows.append(Row(number: number, arrivals: (mine?.instant, theirs?.instant)))
        }
    }
}

// MARK: - Figures

extension LegMatcher {
    private mutating func measure(_ holds: [TimeSpan]) {
        var skews = Histogram()
        for row in rows {
            if let first = row.arrivals.0, let second = row.arrivals.1 { skews.add(second - first) }
        }
        if strangers > 0 {
            result.notes.append(
                "\(strangers) packets have another timestamp on the other leg under the same number: none of the two can stand in for the other"
            )
        }
        guard strangers * 2 <= skews.count else {
            result.notes.append("most packets are not the same on both legs: they are not compared")
            return
        }
        result.skew = skews.distribution
        guard let typical = result.skew?.quantile(0.5) else {
            result.notes.append("no packet is in both legs: they are not compared")
            return
        }
        keepCommon(typical)
        countLosses()
        countWaits(typical)
        for hold in holds {
            let late = Int64(waits.count { $0 > hold.nanoseconds })
            result.holds.append(
                .init(hold: hold, saved: Int64(waits.count) - late, late: late, lost: result.lost + late))
        }
        note(typical)
    }

    /// Leaves out what one of the captures had not begun to see, or had ended before.
    private mutating func keepCommon(_ skew: Int64) {
        let first = rows.lazy.filter { $0.arrivals.0 != nil }.map(\.number)
        let second = rows.lazy.filter { $0.arrivals.1 != nil }.map(\.number)
        guard let low0 = first.first, let high0 = first.last, let low1 = second.first, let high1 = second.last else {
            return
        }
        let spans = spans
        let count = rows.count
        rows.removeAll { row in
            if let there = row.arrivals.1, row.arrivals.0 == nil, row.number < low0 || row.number > high0 {
                return !spans.0.contains(there - skew)
            }
            if let there = row.arrivals.0, row.arrivals.1 == nil, row.number < low1 || row.number > high1 {
                return !spans.1.contains(there + skew)
            }
            return false
        }
        leftOut = Int64(count - rows.count)
    }

    private mutating func countLosses() {
        var runs: [Int64: Int64] = [:]
        var beginnings = 0
        for index in rows.indices {
            let row = rows[index]
            if row.arrivals.0 != nil { result.legs[0].unique += 1 }
            if row.arrivals.1 != nil { result.legs[1].unique += 1 }
            guard index > 0 else { continue }
            let missing = row.number - rows[index - 1].number - 1
            if missing > Self.mostMissing {
                beginnings += 1
            } else if missing > 0 {
                result.lost += missing
                runs[missing, default: 0] += 1
            }
        }
        result.expected = Int64(rows.count) + result.lost
        for leg in result.legs.indices { result.legs[leg].lost = result.expected - result.legs[leg].unique }
        result.lossRuns = runs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if beginnings > 0 {
            result.notes.append("the numbers leap on both legs \(beginnings) times: that is taken for new beginnings")
        }
    }

    /// How long behind the time of the leg that lost it each packet came on the other.
    private mutating func countWaits(_ skew: Int64) {
        let firsts = expected(skew) { ($0.arrivals.0, $0.arrivals.1.map { $0 - skew }) }
        let seconds = expected(-skew) { ($0.arrivals.1, $0.arrivals.0.map { $0 + skew }) }
        var all = Histogram()
        for (index, row) in rows.enumerated() {
            let wait: Int64
            switch row.arrivals {
            case (let arrival?, nil): wait = max(0, arrival - seconds[index])
            case (nil, let arrival?): wait = max(0, arrival - firsts[index])
            default: continue
            }
            waits.append(wait)
            all.add(wait)
        }
        result.wait = all.distribution
    }

    /// When one leg brought each packet, or would have: evenly between those that it brought around it, or as much
    /// before or behind the other leg as it is on the whole.
    private func expected(_ skew: Int64, _ arrivals: (Row) -> (own: Int64?, other: Int64?)) -> [Int64] {
        var result: [Int64] = []
        result.reserveCapacity(rows.count)
        var before: Int?
        var behind = 0
        for index in rows.indices {
            let (own, other) = arrivals(rows[index])
            if let own {
                before = index
                result.append(own)
                continue
            }
            behind = max(behind, index)
            while behind < rows.count, arrivals(rows[behind]).own == nil { behind += 1 }
            if let before, behind < rows.count, let start = arrivals(rows[before]).own,
                let end = arrivals(rows[behind]).own, abs(end - start) <= Self.shortGap
            {
                let share = Double(rows[index].number - rows[before].number)
                let whole = Double(rows[behind].number - rows[before].number)
                result.append(start + Int64((Double(end - start) * share / whole).rounded()))
            } else {
                result.append(other ?? 0)
            }
        }
        return result
    }

    private mutating func note(_ skew: Int64) {
        if leftOut > 0 {
            result.notes.append(
                "\(leftOut) packets of one leg are left out: the other's capture had not begun, or had ended")
        }
        if abs(skew) > Self.shortGap {
            result.notes.append(
                "the legs lie more than a second apart: the captures' clocks may differ, and skew and holds with them")
        }
        if leftOut == 0, result.legs.allSatisfy({ $0.lost == 0 }) {
            result.notes.append("neither leg lost anything: there is nothing for a hold to save")
        }
    }
}
