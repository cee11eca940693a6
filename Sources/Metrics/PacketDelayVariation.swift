import Timebase

/// IP packet delay variation of one flow, in both readings: IPDV (RFC 3393, each packet against the one numbered before
/// it) and PDV (RFC 5481, each packet against the least delay of all).
///
/// Feed it the first copy of each delivered packet, in whatever order they arrive.
///
/// Quantiles are within 0.1 % or 512 ns, whichever is more. Networks and capture clocks vary by as much by themselves,
/// and most of the memory would go to telling a nanosecond from two: a thousand receivers have two thousand of these
/// distributions.
struct PacketDelayVariation: Sendable {
    /// 1,024 ns.
    static var resolutionBits: Int { 10 }
    /// D(n) − D(n−1) over all n for which both were delivered, nanoseconds, signed.
    ///
    /// Undefined, and so absent, when either was lost, or when the later of the two arrivals came when the flow had
    /// already reached a number more than 63 above.
    var successive: Histogram
    /// Delays less `anchor`, from the moment it is chosen.
    var aboveAnchor: Histogram
    /// What PDV is binned against: a delay that nearly none undercuts; nil while the first are being collected.
    var anchor: Int64?
    /// How many of `aboveAnchor` are negative, and at how many it is re-anchored.
    var undercuts: Int64 = 0
    /// The least delay that the cuts of `aboveAnchor` stand above, less `anchor`.
    var cutBase: Int64 = 0
    /// The delays before the anchor is chosen; afterwards empty.
    var early: [Int64] = []
    /// The delay of number n at index n mod 64.
    var recent: [Int64]
    /// Bit k: number `newest` − k was delivered.
    var present: UInt64 = 0
    var newest: Int64 = .min

    /// - Parameters:
    ///   - ipdvCuts: numbers at which IPDV is counted exactly, nanoseconds: see ``Histogram``.
    ///   - pdvCuts: the same for PDV. A new least delay moves them: of what came before it, that is counted as far as
    ///     bins tell.
    init(ipdvCuts: [Int64] = [], pdvCuts: [Int64] = []) {
        recent = Array(repeating: 0, count: 64)
        successive = Histogram(resolutionBits: Self.resolutionBits, cuts: ipdvCuts)
        aboveAnchor = Histogram(resolutionBits: Self.resolutionBits, cuts: pdvCuts)
    }

    /// Takes a delivered packet.
    ///
    /// - Parameters:
    ///   - number: the packet's number in its flow (unwrapped).
    ///   - delay: its one-way delay; a constant clock offset in it does not matter here.
    mutating func add(number: Int64, delay: TimeSpan) {
        let value = delay.nanoseconds
        if let anchor {
            let relative = value &- anchor
            aboveAnchor.add(relative)
            if relative < 0 { undercut() }
        } else {
            collect(value)
        }
        if number == newest &+ 1 {
            present = present &<< 1 | 1
            newest = number
            if present & 2 != 0 { successive.add(value &- recent[Int(truncatingIfNeeded: number &- 1) & 63]) }
            recent[Int(truncatingIfNeeded: number) & 63] = value
        } else {
            addOutOfStep(number, value)
        }
    }

    /// IPDV (RFC 3393), nanoseconds; nil without two packets of successive numbers.
    var ipdv: Distribution? { successive.distribution }

    /// PDV (RFC 5481 §4.2), delay less the least delay of the whole run, nanoseconds; nil without packets.
    ///
    /// Count, minimum (0), maximum, mean and deviation are exact. Quantiles are within 0.1 % or 512 ns, and as much more
    /// for each time that the flow came to a new level of delay below nearly all before it.
    var pdv: Distribution? {
        guard anchor == nil else { return Distribution(aboveAnchor, offset: -(aboveAnchor.minimum ?? 0)) }
        return aboveLeast.distribution
    }

    /// The values of ``pdv``, as far as bins tell.
    var aboveLeast: Histogram {
        guard anchor == nil else { return aboveAnchor.shifted(by: -(aboveAnchor.minimum ?? 0)) }
        // Empty until the anchor is chosen.
        var histogram = aboveAnchor
        if let least = early.min() {
            for value in early { histogram.add(value - least) }
        }
        return histogram
    }
}

extension PacketDelayVariation {
    /// Packets collected before the anchor is chosen: the least of 64 leaves some 1.5 % of a steady flow's below it.
    private static var collected: Int { 64 }

    @inline(never)
    mutating func collect(_ value: Int64) {
        early.append(value)
        guard early.count == Self.collected, let least = early.min() else { return }
        anchor = least
        for value in early { aboveAnchor.add(value - least) }
        early = []
    }

    /// Re-anchors at the least delay when over 1/32 of all lie below the anchor, where bins are cut by the distance from
    /// it and not by PDV itself. Between, a value below the anchor is off by at most 0.1 % of that distance or 512 ns.
    @inline(never)
    mutating func undercut() {
        undercuts += 1
        if let least = aboveAnchor.minimum, least < cutBase {
            aboveAnchor.moveCuts(by: least - cutBase)
            cutBase = least
        }
        guard undercuts > aboveAnchor.count / 32, let least = aboveAnchor.minimum, let old = anchor else { return }
        aboveAnchor = aboveAnchor.shifted(by: -least)
        anchor = old + least
        (undercuts, cutBase) = (0, 0)
    }

    /// A packet that is not numbered one above the newest: after a gap, late, or a copy.
    @inline(never)
    mutating func addOutOfStep(_ number: Int64, _ value: Int64) {
        let slot = Int(truncatingIfNeeded: number) & 63
        if present == 0 || number > newest {
            let step = present == 0 ? 64 : number - newest
            present = step < 64 ? present << UInt64(step) | 1 : 1
            newest = number
            recent[slot] = value
            return
        }
        let age = newest - number
        guard age < 64, present & 1 << UInt64(age) == 0 else { return }
        present |= 1 << UInt64(age)
        recent[slot] = value
        if present & 1 << UInt64(age - 1) != 0 { successive.add(recent[(slot + 1) & 63] - value) }
        if age < 63, present & 1 << UInt64(age + 1) != 0 { successive.add(value - recent[(slot + 63) & 63]) }
    }
}
