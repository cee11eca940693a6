/// Exact counts at numbers that are known before the first value: a quantile is at most a limit when so many values are.
extension Histogram {
    /// How many values are at most a number: between the two counts, which are one where it was known from the beginning.
    @usableFromInline
    struct Cut: Sendable, BitwiseCopyable {
        var value: Int64
        var fewest: Int64
        var most: Int64

        init(_ value: Int64, _ count: ClosedRange<Int64> = 0...0) {
            (self.value, fewest, most) = (value, count.lowerBound, count.upperBound)
        }

        var range: ClosedRange<Int64> { fewest...most }

        mutating func add(_ count: ClosedRange<Int64>) {
            fewest += count.lowerBound
            most += count.upperBound
        }
    }

    /// The cuts that are not counted exactly, ascending: moved, or merged with what did not count there.
    public var uncertainCuts: [Int64] { cuts.filter { $0.fewest < $0.most }.map(\.value).sorted() }

    /// How many values are at most `limit`: exactly at a cut and where buckets tell, else the fewest and the most that may
    /// be.
    ///
    /// - Complexity: O(buckets in use).
    public func count(atMost limit: Int64) -> ClosedRange<Int64> {
        if let cut = cuts.first(where: { $0.value == limit }) { return cut.range }
        var (fewest, most) = (Int64(0), Int64(0))
        forEachBin { values, count in
            guard values.lowerBound <= limit else { return false }
            most += Int64(clamping: count)
            if values.upperBound <= limit { fewest = most }
            return true
        }
        return fewest...most
    }

    /// Counts at other numbers from now on; of what was added before, at each as far as buckets tell.
    ///
    /// - Parameter offset: what all of them move by.
    public mutating func moveCuts(by offset: Int64) {
        // Looked up before any of them has moved: one may come to where another is known.
        cuts = cuts.map { Cut($0.value + offset, count(atMost: $0.value + offset)) }
    }

    @usableFromInline
    @inline(never)
    mutating func countAtCuts(_ value: Int64, times: Int64) {
        for index in cuts.indices where value <= cuts[index].value { cuts[index].add(times...times) }
    }

    /// Of values that go evenly from `first` to a larger one, as many as their share of the way.
    mutating func countAtCuts(evenlyFrom first: Int64, to last: Int64, times: Int64) {
        for index in cuts.indices {
            let way = Int128(min(max(cuts[index].value, first), last) - first)
            let share = Int64(Int128(times) * way / Int128(last - first))
            cuts[index].add(share...share)
        }
    }

    mutating func mergeCuts(of other: Histogram) {
        for index in cuts.indices { cuts[index].add(other.count(atMost: cuts[index].value)) }
    }

    /// Where the value of a rank lies by the cuts alone.
    func values(ofRank rank: Int64) -> ClosedRange<Int64> {
        var (lowest, highest) = (least, greatest)
        for cut in cuts {
            if rank <= cut.fewest { highest = min(highest, cut.value) }
            if rank > cut.most { lowest = max(lowest, cut.value + 1) }
        }
        return lowest...highest
    }
}
