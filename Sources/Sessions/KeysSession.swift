import Results
import Scenario

/// `rubato keys` from its arguments to its exit status.
public struct KeysSession {
    /// Of the key to begin with; nil: all keys.
    var path: String?
    /// Whether the result is one JSON document on standard output.
    public var json = false
    let console: Console

    /// What `rubato keys` does, before its options.
    public init(_ path: String? = nil, console: Console) {
        self.path = path
        self.console = console
    }

    /// - Throws: ``UserFacingError`` (usage) for a key that is not known, ``SystemError``.
    public func run() throws -> Int32 {
        let keys: [ScenarioKey]
        do {
            keys = try ScenarioReference.keys(below: path ?? "")
        } catch {
            throw UserFacingError.usage(
                "a scenario has no key '\(error.path)'",
                remedy: Suggestions.question(error.suggestions) ?? "rubato keys prints all of them")
        }
        if json { console.result(document(keys).document()) } else { console.result(text(keys)) }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }

    private func document(_ keys: [ScenarioKey]) -> JSONValue {
        ["schema": "rubato.keys/1", "keys": .array(keys.map(entry))]
    }

    private func entry(_ key: ScenarioKey) -> JSONValue {
        [
            "path": .string(key.path), "kind": .string(key.kind), "range": text(key.range), "default": text(key.usual),
            "required": .bool(key.isRequired), "goes_with": text(key.companion), "meaning": .string(key.meaning),
            "example": .string(key.example),
        ]
    }

    private func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? nil }

    private func text(_ keys: [ScenarioKey]) -> String {
        let styled = StyledText(isColoured: console.isColoured)
        return keys.map { key in
            var title = styled(key.path, .bold)
            if let companion = key.companion { title += styled("  with \(companion)", .dim) }
            var facts = key.kind
            if let range = key.range { facts += ", \(range)" }
            if key.isRequired { facts += "; required" }
            if let usual = key.usual { facts += "; default \(usual)" }
            let example = key.example.replacing("\n", with: "\n    ")
            return "\(title)\n    \(facts)\n    \(key.meaning)\n    \(styled(example, .dim))\n"
        }.joined(separator: "\n")
    }
}
