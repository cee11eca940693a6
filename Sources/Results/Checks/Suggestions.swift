/// Finding what the user may have meant.
package enum Suggestions {
    /// The candidates nearest to `text`, nearest first; none when nothing is near.
    package static func nearest(to text: String, among candidates: [String], limit: Int = 3) -> [String] {
        let allowed = max(1, min(text.count / 3, 6))
        let lowercase = text.lowercased()
        let ranked = candidates.enumerated()
            .map { (order: $0.offset, name: $0.element, distance: distance(lowercase, $0.element.lowercased())) }
            .filter { $0.distance <= allowed }
            .sorted { ($0.distance, $0.order) < ($1.distance, $1.order) }
        return ranked.prefix(limit).map(\.name)
    }

    /// "did you mean 'a' or 'b'?"; nil without suggestions.
    package static func question(_ names: [String]) -> String? {
        guard let last = names.last else { return nil }
        let quoted = names.dropLast().map { "'\($0)'" }
        return "did you mean " + (quoted.isEmpty ? "" : quoted.joined(separator: ", ") + " or ") + "'\(last)'?"
    }

    /// How many letters must be inserted, left out, changed or swapped with their neighbour (optimal string alignment).
    ///
    /// - Complexity: O(n·m).
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.unicodeScalars)
        let b = Array(second.unicodeScalars)
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in 0..<b.count {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
