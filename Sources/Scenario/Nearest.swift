/// The candidate that a misspelled word most likely stands for: fewest single-letter edits, a swap of neighbours
/// counting as one, case ignored.
///
/// A word that only breaks off too early stands for the one that it begins.
///
/// - Returns: nil when none is near: more edits than a third of the longer word's letters, and more than one.
func nearest(_ word: String, in candidates: [String]) -> String? {
    let limited = String(word.prefix(64))
    var best: (candidate: String, edits: Int)?
    for candidate in candidates {
        let edits = editDistance(Array(limited.lowercased()), Array(candidate.lowercased()))
        if edits <= max(1, max(limited.count, candidate.count) / 3), edits < best?.edits ?? .max {
            best = (candidate, edits)
        }
    }
    return best?.candidate ?? candidates.first { limited.count >= 3 && $0.hasPrefix(limited) }
}

/// Optimal string alignment distance.
func editDistance(_ a: [Character], _ b: [Character]) -> Int {
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
