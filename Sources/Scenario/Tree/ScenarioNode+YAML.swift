import Yams

extension ScenarioNode {
    /// More nodes than this are refused: aliases of aliases can stand for billions.
    static let largestTree = 100_000

    /// Reads YAML.
    ///
    /// Keys given twice are problems of their own, after which reading goes on with the last of them.
    ///
    /// - Parameter place: what to say of a line.
    /// - Returns: nil when there is nothing, or no tree could be made; the latter has added a problem.
    static func parse(
        yaml text: String, problems: ProblemList, place: @escaping (Int) -> ScenarioProblem.Place
    ) -> ScenarioNode? {
        var text = text
        var duplicates: [String: String] = [:]
        while true {
            do {
                guard let node = try Yams.compose(yaml: text) else { return nil }
                var builder = Builder(problems: problems, place: place, duplicates: duplicates)
                return builder.convert(node, path: "")
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) where duplicates.count < 50 {
                let mark = Character(UnicodeScalar(UInt8(0x41 + duplicates.count % 26)))
                let substitute = "\u{e000}\(mark)\(duplicates.count)"
                guard let changed = replacing(keys, at: context.mark, of: text, by: substitute) else {
                    let statement = "key '\(keys.first ?? "")' is given twice"
                    problems.add(ScenarioProblem(place(context.mark.line), path: "", statement))
                    return nil
                }
                duplicates[substitute] = changed.key
                text = changed.text
            } catch {
                problems.add(syntaxProblem(error, text, place))
                return nil
            }
        }
    }

    /// Puts another word in the place of a doubled key, which the parser would stop at.
    private static func replacing(
        _ keys: [String], at mark: Mark, of text: String, by substitute: String
    ) -> (text: String, key: String)? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
        guard (1...lines.count).contains(mark.line), mark.column >= 1 else { return nil }
        let line = lines[mark.line - 1]
        for key in keys {
            let scalars = Array(key.unicodeScalars)
            // In quotes the key begins one column later.
            for start in [mark.column - 1, mark.column] where line[min(start, line.count)...].starts(with: scalars) {
                guard !scalars.isEmpty else { continue }
                lines[mark.line - 1].replaceSubrange(start..<start + scalars.count, with: substitute.unicodeScalars)
                let joined = lines.map { String(String.UnicodeScalarView($0)) }.joined(separator: "\n")
                return (joined, key)
            }
        }
        return nil
    }

    private static func syntaxProblem(
        _ error: any Error, _ text: String, _ place: @escaping (Int) -> ScenarioProblem.Place
    ) -> ScenarioProblem {
        func problem(_ what: String, _ line: Int) -> ScenarioProblem {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let content = (1...max(1, lines.count)).contains(line) ? String(lines[line - 1]) : ""
            var hint: String?
            if content.contains(": >") || content.contains(": <") {
                hint = "a value that begins with > or < goes in quotes: '>= 4 Mbit/s'"
            } else if content.contains("\t") {
                hint = "YAML is indented with blanks, not tabs"
            }
            return ScenarioProblem(
                place(line), path: "", "not YAML: \(what)", hint: hint)
        }
        switch error as? YamlError {
        case .composer(_, "but found another document", let mark, _):
            return ScenarioProblem(place(mark.line), path: "", "a scenario is one document; here begins another")
        case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
            return problem(what, mark.line)
        case .duplicatedKeysInMapping(_, let context):
            return problem("too many keys are given twice", context.mark.line)
        case .reader(let what, let offset, _, _):
            let line = text.prefix(offset ?? 0).split(separator: "\n", omittingEmptySubsequences: false).count
            return problem(what, max(1, line))
        default:
            return problem("it cannot be read", 1)
        }
    }

    /// Turns the parser's nodes into ours.
    private struct Builder {
        let problems: ProblemList
        let place: (Int) -> ScenarioProblem.Place
        /// Substitutes of doubled keys, and the keys.
        let duplicates: [String: String]
        var count = 0

        mutating func convert(_ node: Node, path: String) -> ScenarioNode? {
            count += 1
            guard count <= ScenarioNode.largestTree else {
                if count == ScenarioNode.largestTree + 1 {
                    problems.add(
                        ScenarioProblem(place(1), path: "", "more than \(ScenarioNode.largestTree) values"))
                }
                return nil
            }
            let here = place(node.mark?.line ?? 1)
            switch node {
            case .scalar(let scalar):
                return ScenarioNode(
                    content: .scalar(scalar.string, isPlain: scalar.style == .plain || scalar.style == .any),
                    place: here)
            case .sequence(let sequence):
                var elements: [ScenarioNode] = []
                for (index, element) in sequence.enumerated() {
                    if let element = convert(element, path: joined(path, index)) { elements.append(element) }
                }
                return ScenarioNode(content: .list(elements), place: here)
            case .mapping(let mapping):
                return ScenarioNode(content: .map(entries(mapping, path: path)), place: here)
            case .alias:
                return nil
            }
        }

        private mutating func entries(_ mapping: Node.Mapping, path: String) -> [Entry] {
            var entries: [Entry] = []
            for (key, value) in mapping {
                let place = place(key.mark?.line ?? 1)
                guard case .scalar(let scalar) = key else {
                    problems.add(ScenarioProblem(place, path: path, "a key is a word, not a list or a map"))
                    continue
                }
                if let original = duplicates[scalar.string] {
                    let statement = "key '\(shortened(original))' is given twice"
                    problems.add(ScenarioProblem(place, path: joined(path, original), statement))
                    continue
                }
                if let node = convert(value, path: joined(path, scalar.string)) {
                    entries.append(Entry(key: scalar.string, place: place, node: node))
                }
            }
            return entries
        }
    }
}
