/// One thing that is wrong with a scenario.
public struct ScenarioProblem: Equatable, Sendable {
    /// Where it was written.
    public enum Place: Hashable, Sendable {
        /// A line of a scenario's text, from 1; the file as its user named it.
        case line(file: String, Int)
        /// A file as a whole.
        case file(String)
        /// An option of the command line, as given: `--set a.b=1`.
        case option(String)
    }

    var place: Place
    /// `network.forward.0.loss.bernoulli`; empty for the scenario as a whole.
    public var path: String
    /// What was written there, cut to a readable length; nil where nothing was.
    public var value: String?
    /// What is wrong: "unknown key 'delai'".
    var statement: String
    /// What would be right: "a percentage from 0% to 100%, such as 1.5%".
    var expected: String?
    /// What to do about it: "did you mean 'delay'?".
    var hint: String?

    init(
        _ place: Place, path: String, value: String? = nil, _ statement: String, expected: String? = nil,
        hint: String? = nil
    ) {
        self.place = place
        self.path = path
        self.value = value.map { shortened($0) }
        self.statement = statement
        self.expected = expected
        self.hint = hint
    }
}

/// Values come from outside and may be long or hold control characters.
func shortened(_ text: String, to length: Int = 60) -> String {
    let printable = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : String($0) }.joined()
    return printable.count <= length ? printable : printable.prefix(length - 3) + "..."
}

extension ScenarioProblem: CustomStringConvertible {
    /// One line: `demo.yaml:12: network.forward.0.delay: '20' is not valid; expected a time …; …`.
    public var description: String {
        var text: String
        switch place {
        case .line(let file, let line): text = "\(file):\(line): "
        case .file(let file): text = "\(file): "
        case .option(let option): text = "\(option): "
        }
        if !path.isEmpty { text += path + ": " }
        text += statement
        if let expected { text += "; expected \(expected)" }
        if let hint { text += " (\(hint))" }
        return text
    }
}

/// Everything that is wrong with a scenario, in the order of its lines.
public struct ScenarioProblems: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not empty.
    var problems: [ScenarioProblem]

    /// At least one problem, in the order of lines.
    public init(_ problems: [ScenarioProblem]) { self.problems = problems }

    /// One line a problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Gathers problems while a scenario is read.
final class ProblemList {
    private(set) var problems: [ScenarioProblem] = []

    func add(_ problem: ScenarioProblem) {
        // A mistake that two passes meet is told once.
        if !problems.contains(where: { $0.place == problem.place && $0.path == problem.path }) {
            problems.append(problem)
        }
    }

    /// - Throws: all that was added, by line; options of the command line last.
    func throwIfAny() throws(ScenarioProblems) {
        guard !problems.isEmpty else { return }
        let ordered = problems.enumerated().sorted { a, b in
            (rank(a.element.place), a.offset) < (rank(b.element.place), b.offset)
        }
        throw ScenarioProblems(ordered.map(\.element))
    }

    private func rank(_ place: ScenarioProblem.Place) -> Int {
        switch place {
        case .file: 0
        case .line(_, let line): line
        case .option: .max
        }
    }
}
