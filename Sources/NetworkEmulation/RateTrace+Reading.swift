import Timebase

extension RateTrace {
    private static let rate: (range: ClosedRange<Int64>, limits: String) = (0...1_000_000_000_000, "from 0 to 1 Tbit/s")

    /// Reads rows of `time_s,rate_bps`, each rate holding from its time on.
    ///
    /// Without a header line times are seconds and rates bit/s; a header may name others: `time_ms`, `time_us`,
    /// `time_ns`, `rate_kbps`, `rate_Mbps`, `rate_Gbps`. The first time is 0. See ``NumberTable`` for the rest.
    ///
    /// - Parameter period: when the first row comes again, later than the last one; nil: the last rate lasts.
    public init(csv bytes: [UInt8], repeatingEvery period: TimeSpan? = nil) throws(TraceProblem) {
        let units: [(String, Int64)] = [("bps", 1), ("kbps", 1_000), ("Mbps", 1_000_000), ("Gbps", 1_000_000_000)]
        let column = NumberTable.Column(name: "rate", units: units, range: Self.rate.range, limits: Self.rate.limits)
        let table = try NumberTable(bytes, [.time, column], order: .rising)
        try self.init(table, period: period)
    }

    /// Reads rows of a time in seconds and a rate in Mbit/s, as the HSDPA traces of Riiser and others (2013) are handed
    /// around, round and round.
    ///
    /// Each rate holds from its time on, the last one for as long as the one before it. Numbers are rounded to the
    /// nearest nanosecond and bit/s. DEVIATION: Pensieve and its kin have each rate end at its time and leave the first
    /// one out, so that a lap ends at the last time; here all rows count.
    public init(hsdpa bytes: [UInt8]) throws(TraceProblem) {
        let column = NumberTable.Column(
            name: "rate", units: [("Mbps", 1_000_000)], range: Self.rate.range, limits: Self.rate.limits)
        let table = try NumberTable(bytes, [.time, column], order: .rising)
        guard table.count > 1 else { throw TraceProblem(line: nil, expected: "at least two rows of time_s rate_Mbps") }
        let last = table[table.count - 1, 0]
        try self.init(table, period: .nanoseconds(2 * last - table[table.count - 2, 0]))
    }

    private init(_ table: NumberTable, period: TimeSpan?) throws(TraceProblem) {
        let last = table[table.count - 1, 0]
        guard table[0, 0] == 0 else { throw TraceProblem(line: table.lines[0], expected: "0 as the first time") }
        if let period, period.nanoseconds <= last {
            throw TraceProblem(line: table.lines.last, expected: "a time before \(period.nanoseconds) ns, the period")
        }
        for row in 0..<table.count where 1..<1_000 ~= table[row, 1] {
            throw TraceProblem(
                line: table.lines[row], expected: "a rate of 0, or from 1 kbit/s: is the unit in the header?")
        }
        let pieces = (0..<table.count).map { row in
            (at: TimeSpan.nanoseconds(table[row, 0]), rate: BitRate(bitsPerSecond: UInt64(table[row, 1])))
        }
        guard let trace = RateTrace(pieces, repeatingEvery: period) else {
            throw TraceProblem(line: nil, expected: "a rate above 0 in a trace that repeats")
        }
        self = trace
    }

    /// Delivery opportunities read as capacity spread over the milliseconds before each: the rate between two times is
    /// that of the opportunities at the later one, rounded down to 1 bit/s. Rattan reads Mahimahi's traces so.
    ///
    /// - Parameter opportunityBits: of one opportunity.
    /// - Returns: nil where nothing can be sent in a lap, or outages take too many pieces.
    public init?(_ trace: OpportunityTrace, opportunityBits: UInt64 = 12_000) {
        var pieces: [(at: TimeSpan, rate: BitRate)] = []
        var begin: Int64 = 0
        var index = 0
        let times = trace.milliseconds
        while index < times.count {
            let time = times[index]
            var count: UInt64 = 0
            while index < times.count, times[index] == time {
                count += 1
                index += 1
            }
            // Opportunities at 0 are those at the end of the period before.
            guard time > begin else { continue }
            pieces.append(
                (.milliseconds(begin), BitRate(bitsPerSecond: count * opportunityBits * 1_000 / UInt64(time - begin))))
            begin = time
        }
        let outages = trace.outages.map { TimeSpan.nanoseconds($0.lowerBound)..<TimeSpan.nanoseconds($0.upperBound) }
        guard let whole = RateTrace(pieces, repeatingEvery: .milliseconds(begin)),
            let trace = whole.overridden(in: outages, with: BitRate(bitsPerSecond: 0))
        else { return nil }
        self = trace
    }
}
