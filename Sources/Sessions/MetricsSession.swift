import Results

/// `rubato metrics` from its arguments to its exit status.
public struct MetricsSession {
    /// A path of run.json, the end of one, or nil for all.
    var name: String?
    /// Whether the result is one JSON document on standard output.
    public var json = false
    let console: Console

    /// What `rubato metrics` does, before its options.
    public init(_ name: String?, console: Console) {
        self.name = name
        self.console = console
    }

    /// - Throws: ``UserFacingError`` (usage) for a name that is not there, ``SystemError``.
    public func run() throws -> Int32 {
        let reference = try CatalogReference(of: name)
        if json {
            console.result(reference.document.document())
        } else {
            console.result(reference.text(isColoured: console.isColoured))
        }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }
}
