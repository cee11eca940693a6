import Metrics

/// A run directory read back.
public struct SavedRun: Sendable {
    /// As the user named it.
    public var path: String
    /// run.json.
    public var document: JSONValue
    /// run.json, and in it what `rubato quality` found in this run, if it has been asked.
    var judged: JSONValue
    /// resolved.yaml; null where the directory has none.
    var scenario: JSONValue

    /// - Parameter path: the run directory, or its run.json.
    /// - Throws: ``UserFacingError``, ``SystemError``.
    public init(reading path: String) throws {
        let isDocument = FileTree.lastComponent(of: path) == "run.json" && FileTree.kind(of: path) == .file
        let directory = isDocument ? FileTree.parent(of: path) : path
        self.path = directory
        document = try SavedRun.document(in: directory, asNamed: path)
        judged = try SavedRun.withQuality(document, in: directory)
        let scenarioPath = directory + "/resolved.yaml"
        guard FileTree.kind(of: scenarioPath) == .file else {
            scenario = nil
            return
        }
        let text = String(decoding: try FileTree.contents(of: scenarioPath), as: UTF8.self)
        do {
            scenario = try ScenarioText.json(text)
        } catch let error as UserFacingError {
            throw UserFacingError("\(scenarioPath): \(error.message)")
        }
    }

    private static func document(in directory: String, asNamed name: String) throws -> JSONValue {
        let path = directory + "/run.json"
        guard FileTree.kind(of: directory) != nil else {
            throw UserFacingError(
                "'\(name)' does not exist", remedy: "name a run directory, as 'rubato run' printed it")
        }
        guard FileTree.kind(of: path) != nil else {
            throw UserFacingError(
                "'\(name)' is not a run directory: it has no run.json",
                remedy: "name a run directory, as 'rubato run' printed it")
        }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: try FileTree.contents(of: path))
        } catch let error as JSONError {
            throw UserFacingError("\(path) is damaged: \(error)", remedy: "run the scenario again")
        }
        let schema = document["schema"]?.string
        if let schema, Catalog.earlierSchemas.contains(schema) {
            throw UserFacingError.usage(
                "'\(name)' is \(schema), written by an earlier version: its figures do not mean what those of "
                    + "\(Catalog.schema) mean",
                remedy: "run it again with this version: rubato run \(directory)/resolved.yaml --out DIR")
        }
        guard schema == Catalog.schema else {
            let given = schema.map { "its schema is '\($0)'" } ?? "it names no schema"
            throw UserFacingError(
                "\(path) is not a run's result: \(given), not '\(Catalog.schema)'",
                remedy: "use the version of rubato that wrote it, or run the scenario again")
        }
        return document
    }

    /// What `rubato quality` has left in a run directory, and what it is.
    static let qualityName = "quality.json"
    static let qualitySchema = "rubato.quality/1"

    private static func withQuality(_ document: JSONValue, in directory: String) throws -> JSONValue {
        let path = directory + "/" + qualityName
        guard case .object(var object) = document, FileTree.kind(of: path) == .file else { return document }
        let found: JSONValue
        do {
            found = try JSONValue(parsing: try FileTree.contents(of: path))
        } catch let error as JSONError {
            throw UserFacingError("\(path) is damaged: \(error)", remedy: "rubato quality \(directory) makes it anew")
        }
        guard found["schema"]?.string == qualitySchema, let list = found["quality"],
            found.value(at: "run.digest") == document.value(at: "run.digest")
        else { return document }
        object[Catalog.quality.node.name] = list
        return .object(object)
    }

    /// What it was checked for, the terms of its contract first.
    public var checks: [Check] { (document["qos"]?["checks"]?.elements ?? []).compactMap { Check(ofSaved: $0) } }

    /// What run.json says about the run itself: "seed", "digest", "id".
    public func fact(_ name: String) -> JSONValue { document["run"]?[name] ?? nil }
}
