import Results

/// `rubato compare` from its arguments to its exit status.
public struct CompareSession {
    var paths: [String]
    /// Metrics or groups; each may have several, separated by commas.
    public var on: [String] = []
    /// As written: "5" or "5%".
    public var failOnRegression: String?
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    /// What `rubato compare` does with these runs, before its options.
    public init(_ paths: [String], console: Console) {
        self.paths = paths
        self.console = console
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let allowance = try failOnRegression.map { try CompareSession.allowance($0) }
        let names = on.flatMap { splitOutsideBrackets($0, at: ",") }.map { String(trimmed($0)) }.filter { !$0.isEmpty }
        let runs = try paths.map { try SavedRun(reading: $0) }
        let comparison = try RunComparison(of: runs, on: names, allowance: allowance)
        if json {
            console.result(comparison.document.document())
        } else if !quiet {
            console.result(comparison.text(isColoured: console.isColoured))
        }
        if json || quiet {
            for row in comparison.regressions { console.message("regression: \(row.label)") }
        }
        if let failure = console.failure { throw failure }
        return comparison.passed == false ? ExitStatus.checkFailed : ExitStatus.success
    }

    private static func allowance(_ text: String) throws(UserFacingError) -> Double {
        var number = trimmed(text)
        if number.last == "%" { number = trimmed(number.dropLast()) }
        guard let percent = Double(number), percent.isFinite, percent >= 0 else {
            throw .usage("'\(text)' is not a percentage", remedy: "write --fail-on-regression 5%")
        }
        return percent / 100
    }
}
