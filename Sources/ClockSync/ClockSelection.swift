/// Which of several servers tell the time, and what they say together (RFC 5905 §11.2). In seconds.
enum ClockSelection {
    /// A server that may be believed.
    struct Candidate: Sendable {
        /// Which server it is.
        var server: Int
        var offset: Double
        /// Λ: the server's clock is within this of the offset.
        var rootDistance: Double
        /// ψ
        var jitter: Double
        /// What it is ranked by: stratum, then root distance.
        var metric: Double
    }

    /// An interval's begin (1) or end (-1).
    private typealias Edge = (at: Double, kind: Int)

    /// NMIN: clustering leaves so many.
    private static let fewest = 3
    /// DEVIATION: survivors with more than so many times the best one's root distance are left out, as by chrony. They may
    /// be true, but by the RFC a server that is half a second off on a way as asymmetric is combined with a good one.
    private static let combineLimit = 3.0

    /// The candidates whose intervals offset ± Λ have a point in common with the smallest interval that more than half of
    /// them, and all but as few as possible, agree on; none where there is no majority: m candidates bear fewer than m / 2
    /// falsetickers.
    ///
    /// DEVIATION: as in ntpd the middles of the intervals do not count. By the RFC a server that is known exactly would make
    /// falsetickers of all whose ways are asymmetric, though they claim no more than is true.
    static func truechimers(among candidates: [Candidate]) -> [Candidate] {
        var edges: [Edge] = []
        for candidate in candidates {
            edges.append((candidate.offset - candidate.rootDistance, 1))
            edges.append((candidate.offset + candidate.rootDistance, -1))
        }
        // Where edges coincide, intervals begin before they end, so that touching ones have a point in common.
        edges.sort { $0.at != $1.at ? $0.at < $1.at : $0.kind > $1.kind }
        let backwards: [Edge] = edges.reversed().map { ($0.at, -$0.kind) }
        for falsetickers in 0..<(candidates.count + 1) / 2 {
            let wanted = candidates.count - falsetickers
            guard let low = common(edges, wanted), let high = common(backwards, wanted) else { continue }
            guard low <= high else { continue }
            return candidates.filter { $0.offset + $0.rootDistance >= low && $0.offset - $0.rootDistance <= high }
        }
        return []
    }

    /// Where so many intervals have begun.
    private static func common(_ edges: [Edge], _ wanted: Int) -> Double? {
        var begun = 0
        for edge in edges {
            begun += edge.kind
            if begun >= wanted { return edge.at }
        }
        return nil
    }

    /// Casts out the candidate that is farthest from the others, again and again, until that would gain nothing, and those
    /// that are far worse than the best; ordered by metric, the best first. With it the root mean square of what the others differ from the best (selection jitter).
    static func clustered(_ truechimers: [Candidate]) -> (survivors: [Candidate], jitter: Double) {
        var survivors = truechimers.sorted { $0.metric != $1.metric ? $0.metric < $1.metric : $0.server < $1.server }
        while survivors.count > fewest {
            let spreads = survivors.map { spread(of: survivors, around: $0.offset) }
            guard let worst = spreads.indices.max(by: { spreads[$0] < spreads[$1] }),
                let least = survivors.map(\.jitter).min(), spreads[worst] >= least
            else { break }
            survivors.remove(at: worst)
        }
        if let best = survivors.first { survivors.removeAll { $0.rootDistance > combineLimit * best.rootDistance } }
        return (survivors, survivors.first.map { spread(of: survivors, around: $0.offset) } ?? 0)
    }

    private static func spread(of survivors: [Candidate], around offset: Double) -> Double {
        guard survivors.count > 1 else { return 0 }
        let squares = survivors.reduce(0) { $0 + ($1.offset - offset) * ($1.offset - offset) }
        return (squares / Double(survivors.count - 1)).squareRoot()
    }

    /// The mean of the offsets, each weighing one over its root distance.
    static func combined(_ survivors: [Candidate]) -> Double {
        var (sum, weights) = (0.0, 0.0)
        for survivor in survivors {
            sum += survivor.offset / survivor.rootDistance
            weights += 1 / survivor.rootDistance
        }
        return sum / weights
    }
}
