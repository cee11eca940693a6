/// Finding what the user may have meant.
public enum Suggestions {
    /// The candidates that a misspelled word most likely stands for, nearest first: fewest single-letter edits, a swap of
    /// neighbours counting as one, case ignored.
    ///
    /// A word that only breaks off too early stands for the ones that it begins.
    ///
    /// - Returns: none when nothing is near: more edits than a third of the longer word's letters or than six, and more
    ///   than one.
    public static func nearest(to word: String, among candidates: [String], limit: Int = 3) -> [String] {
        let limited = String(word.prefix(64))
        let letters = Array(limited.lowercased())
        let near = candidates.enumerated().compactMap { order, name -> (name: String, edits: Int, order: Int)? in
            let edits = editDistance(letters, Array(name.lowercased()))
            return edits <= max(1, min(max(letters.count, name.count) / 3, 6)) ? (name, edits, order) : nil
        }
        guard near.isEmpty else {
            return near.sorted { ($0.edits, $0.order) < ($1.edits, $1.order) }.prefix(limit).map(\.name)
        }
        return Array(candidates.filter { limited.count >= 3 && $0.hasPrefix(limited) }.prefix(limit))
    }

    /// "did you mean 'a' or 'b'?"; nil without suggestions.
    public static func question(_ names: [String]) -> String? {
        guard let last = names.last else { return nil }
        let quoted = names.dropLast().map { "'\($0)'" }
        return "did you mean \(quoted.isEmpty ? "" : quoted.joined(separator: ", ") + " or ")'\(last)'?"
    }

    /// Optimal string alignment distance.
    static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var before: [Int] = []
        var previous = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                var edits = min(previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { edits = min(edits, before[j - 1] + 1) }
                current.append(edits)
            }
            (before, previous) = (previous, current)
        }
        return previous[b.count]
    }
}
