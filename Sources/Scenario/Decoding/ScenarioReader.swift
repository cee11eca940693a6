import Timebase

/// A place of a scenario's tree, read as typed values. What cannot be read adds a problem and yields the default, so
/// that one pass finds every problem; wrong shapes have been told by ``ShapeCheck`` and are passed over here.
struct ScenarioReader {
    let node: ScenarioNode?
    /// Of the node, or of what it is missing from.
    let place: ScenarioProblem.Place
    let path: String
    let context: DecodingContext

    var isPresent: Bool { node != nil }

    subscript(_ key: String) -> ScenarioReader {
        let child = node?[key]
        return ScenarioReader(node: child, place: child?.place ?? place, path: joined(path, key), context: context)
    }

    /// The elements of a list; nil when there is none.
    var elements: [ScenarioReader]? {
        guard case .list(let nodes) = node?.content else { return nil }
        return nodes.enumerated().map { index, node in
            ScenarioReader(node: node, place: node.place, path: joined(path, index), context: context)
        }
    }

    /// The entries of a map, by key; nil when there is none.
    var entries: [(key: String, value: ScenarioReader)]? {
        guard case .map(let entries) = node?.content else { return nil }
        return entries.map { entry in
            let path = joined(path, entry.key)
            return (entry.key, ScenarioReader(node: entry.node, place: entry.node.place, path: path, context: context))
        }
    }

    /// The text of a scalar that is there.
    var text: String? {
        guard let node, !node.isNull else { return nil }
        return node.text
    }

    func report(_ statement: String, expected: String? = nil, hint: String? = nil) {
        context.problems.add(
            ScenarioProblem(place, path: path, value: node?.text, statement, expected: expected, hint: hint))
    }

    func reportInvalid(expected: String?, hint: String? = nil) {
        report("'\(shortened(node?.text ?? ""))' is not valid", expected: expected, hint: hint)
    }

    /// A key that has no default.
    func reportMissing(expected: String) {
        guard node == nil else { return }
        report("it is missing", expected: expected)
    }

    /// What `parse` makes of the scalar; nil when there is none, or none that can be read.
    func scalar<Value>(_ parse: (String) throws(QuantityProblem) -> Value) -> Value? {
        guard let text else { return nil }
        do {
            return try parse(text)
        } catch {
            reportInvalid(expected: error.expected, hint: error.hint)
            return nil
        }
    }

    /// A scalar within bounds, which `text` words.
    func bounded<Value: Comparable>(
        _ range: ClosedRange<Value>, _ text: (Value) -> String, _ parse: (String) throws(QuantityProblem) -> Value
    ) -> Value? {
        guard let value = scalar(parse) else { return nil }
        guard range.contains(value) else {
            reportInvalid(expected: "from \(text(range.lowerBound)) to \(text(range.upperBound))")
            return nil
        }
        return value
    }

    func time(_ range: ClosedRange<TimeSpan>) -> TimeSpan? {
        bounded(range, { limitText($0) }, { text throws(QuantityProblem) in try Quantity.time(text) })
    }

    func bitRate(_ range: ClosedRange<BitRate>) -> BitRate? {
        bounded(range, { Quantity.text($0) }, { text throws(QuantityProblem) in try Quantity.bitRate(text) })
    }

    func ratio() -> Ratio? { scalar { text throws(QuantityProblem) in try Quantity.ratio(text) } }

    func integer(_ range: ClosedRange<Int>, hint: String? = nil) -> Int? {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return scalar { text throws(QuantityProblem) in
            guard let value = Int(text), range.contains(value) else {
                throw QuantityProblem(expected: expected, hint: hint)
            }
            return value
        }
    }

    func truth() -> Bool? {
        scalar { text throws(QuantityProblem) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw QuantityProblem(expected: "true or false", hint: nil)
            }
        }
    }

    /// One of an enumeration's words; others have been told with the shape.
    func word<Word: RawRepresentable<String>>(_ type: Word.Type = Word.self) -> Word? { text.flatMap(Word.init) }

    /// A name that others refer to: letters, digits, `_` and `-`, at most 64.
    func identifier() -> String? {
        scalar { text throws(QuantityProblem) in
            guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ isWordByte($0) }) else {
                throw QuantityProblem(expected: "1 to 64 letters A-Z and a-z, digits, '_' and '-'", hint: nil)
            }
            return text
        }
    }

    /// A file's name as an absolute path: relative to the scenario's folder, or to the working directory where it
    /// was given on the command line.
    func file() -> String? {
        guard let text, !text.isEmpty else {
            if isPresent { reportInvalid(expected: "a file's name") }
            return nil
        }
        var isOption = false
        if case .option = place { isOption = true }
        let path = context.absolutePath(text, fromCommandLine: isOption)
        if context.checksFiles, let problem = unreadable(path) {
            report(
                "'\(shortened(path, to: 300))' \(problem)", hint: "names are relative to \(context.origin(isOption))")
        }
        return path
    }
}

/// Whole hours as hours.
private func limitText(_ span: TimeSpan) -> String {
    let (hours, rest) = span.nanoseconds.quotientAndRemainder(dividingBy: 3_600_000_000_000)
    return hours != 0 && rest == 0 ? "\(hours)h" : Quantity.text(span)
}

func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}
