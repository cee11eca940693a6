/// Whether a run, done again from its own record, gives the same bytes.
public struct Verification: Sendable {
    enum Outcome: Sendable, Equatable {
        case identical
        /// The saved file is no longer what its run.json says: it was changed after the run.
        case altered
        /// At this byte, from 0, the two differ first.
        case differs(at: Int64)
        case missingInSaved
        case missingInRerun
    }

    struct File: Sendable, Equatable {
        var path: String
        var outcome: Outcome
    }

    var savedDigest: String?
    var rerunDigest: String?
    /// In the order of their paths.
    var files: [File]
    /// Numbers of run.json that differ, wall-clock facts left out.
    var differingValues: [String]

    /// Whether digest, numbers and files are all the same.
    public var isIdentical: Bool {
        savedDigest != nil && savedDigest == rerunDigest && differingValues.isEmpty
            && files.allSatisfy { $0.outcome == .identical }
    }

    /// What no two runs share: host facts.
    private static let wallClockFacts: Set<String> = ["run.wall_ns", "run.speed_factor"]
    /// scenario.yaml is what the user gave; a rerun starts from resolved.yaml.
    private static let notRerun: Set<String> = ["scenario.yaml"]

    /// Compares a saved run with its rerun, file by file.
    ///
    /// - Parameters:
    ///   - saved: its directory and run.json.
    ///   - rerun: likewise.
    /// - Throws: ``SystemError``, ``UserFacingError``.
    public init(
        saved: (directory: String, document: JSONValue), rerun: (directory: String, document: JSONValue)
    ) throws {
        savedDigest = saved.document["run"]?["digest"]?.string
        rerunDigest = rerun.document["run"]?["digest"]?.string
        let before = Verification.artifacts(saved.document)
        let after = Verification.artifacts(rerun.document)
        files = []
        for path in Set(before.keys).union(after.keys).sorted() where !Verification.notRerun.contains(path) {
            let outcome = try Verification.outcome(
                path, before[path], after[path], saved: saved.directory, rerun: rerun.directory)
            files.append(File(path: path, outcome: outcome))
        }
        differingValues = Verification.differingValues(saved.document, rerun.document)
    }

    private static func artifacts(_ document: JSONValue) -> [String: String] {
        var table: [String: String] = [:]
        for artifact in document["artifacts"]?.elements ?? [] {
            guard let path = artifact["path"]?.string, let sha256 = artifact["sha256"]?.string else { continue }
            table[path] = sha256
        }
        return table
    }

    private static func outcome(
        _ path: String, _ before: String?, _ after: String?, saved: String, rerun: String
    ) throws -> Outcome {
        guard let before, FileTree.kind(of: saved + "/" + path) == .file else { return .missingInSaved }
        guard try Artifact(path: path, in: saved).sha256 == before else { return .altered }
        guard let after else { return .missingInRerun }
        if before == after { return .identical }
        return .differs(at: try firstDifference(saved + "/" + path, rerun + "/" + path))
    }

    /// The byte, from 0, at which two files differ first; the shorter one's length when it begins the other.
    static func firstDifference(_ first: String, _ second: String) throws -> Int64 {
        let other = try FileTree.contents(of: second)
        var offset = 0
        var found: Int?
        try FileTree.read(first) { piece in
            guard found == nil else { return }
            let rest = other[min(offset, other.count)...]
            let same = zip(piece, rest).prefix { $0 == $1 }.count
            if same < piece.count { found = offset + same }
            offset += piece.count
        }
        return Int64(found ?? offset)
    }

    private static func differingValues(_ first: JSONValue, _ second: JSONValue) -> [String] {
        func table(_ document: JSONValue) -> [(path: String, value: String)] {
            var document = document
            // The files are told one by one.
            if case .object(var object) = document {
                object["artifacts"] = nil
                document = .object(object)
            }
            return ScenarioText.flattened(document).filter { !wallClockFacts.contains($0.path) }
        }
        let after = Dictionary(table(second).map { ($0.path, $0.value) }, uniquingKeysWith: { first, _ in first })
        let before = table(first)
        let known = Set(before.map(\.path))
        return before.filter { after[$0.path] != $0.value }.map(\.path)
            + after.keys.filter { !known.contains($0) }.sorted()
    }
}

extension Verification {
    /// Schema `rubato.verification/1`.
    public var document: JSONValue {
        [
            "schema": "rubato.verification/1",
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "identical": .bool(isIdentical),
            "digest": ["saved": JSONValue(savedDigest), "rerun": JSONValue(rerunDigest)],
            "files": .array(
                files.map { file in
                    var offset: Int64?
                    if case .differs(let at) = file.outcome { offset = at }
                    return [
                        "path": .string(file.path), "outcome": .string(file.outcome.name),
                        "first_difference_bytes": JSONValue(offset),
                    ]
                }),
            "differing_values": .array(differingValues.map { .string($0) }),
        ]
    }

    /// The outcome as a table for a terminal; `isColoured`: with escape sequences.
    public func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        var table = TextTable(alignments: [.left, .left, .left])
        for file in files {
            let isSame = file.outcome == .identical
            table.add([
                isSame ? TextTable.Cell("✓", .green) : TextTable.Cell("✗", .red), TextTable.Cell(file.path),
                TextTable.Cell(file.outcome.sentence, isSame ? .dim : .red),
            ])
        }
        var lines = table.lines(styled)
        let isSameDigest = savedDigest != nil && savedDigest == rerunDigest
        let digests =
            isSameDigest
            ? styled("✓", .green) + " digest \(savedDigest ?? "")"
            : styled("✗", .red)
                + " digest \(rerunDigest ?? Format.notMeasured), saved \(savedDigest ?? Format.notMeasured)"
        lines.append("  " + digests)
        if let first = differingValues.first {
            let count = differingValues.count
            lines.append("  " + styled("✗", .red) + " \(count) values of run.json differ, the first is \(first)")
        }
        if isIdentical {
            lines.append(styled("identical", .green) + ": \(files.count) files and the digest")
        } else if let first = files.first(where: { $0.outcome != .identical }) {
            lines.append(styled("not identical", .red) + ": \(first.path) \(first.outcome.sentence)")
        } else {
            lines.append(styled("not identical", .red) + ": the files agree, the record does not")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Verification.Outcome {
    var name: String {
        switch self {
        case .identical: "identical"
        case .altered: "altered"
        case .differs: "differs"
        case .missingInSaved: "missing_in_saved"
        case .missingInRerun: "missing_in_rerun"
        }
    }

    var sentence: String {
        switch self {
        case .identical: "identical"
        case .altered: "was changed after the run: it does not match its own run.json"
        case .differs(let at): "differs from byte \(Format.count(at)) on"
        case .missingInSaved: "is missing in the saved run"
        case .missingInRerun: "was not written this time"
        }
    }
}
