import Foundation

/// A scenario as it was given: its text, and where it comes from.
public struct ScenarioDocument: Equatable, Sendable {
    /// What problems call it: the file as its user named it, or `preset iptv`.
    public let title: String
    /// As given, byte for byte.
    public let text: String
    /// Absolute path of the folder that file names in it are relative to.
    let folder: String
    /// The scenario's name where it gives none: the file's name without its ending.
    let defaultName: String

    /// - Parameters:
    ///   - folder: for relative file names; nil: the working directory.
    public init(title: String, text: String, folder: String? = nil) {
        self.title = title
        self.text = text
        self.folder = absolute(folder ?? "", in: FileManager.default.currentDirectoryPath)
        let file = title.split(separator: "/").last.map(String.init) ?? title
        let stem = file.split(separator: ".").first.map(String.init) ?? file
        let cleaned = String(stem.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" })
        defaultName = Kind<String>.isScenarioName(cleaned) ? cleaned : "scenario"
    }

    /// A preset as a document; its file names are relative to the working directory.
    init(_ preset: Preset) { self.init(title: "preset \(preset.name)", text: preset.yaml) }

    /// The scenario that an argument of the command line names: a preset, or a file.
    ///
    /// A preset's name comes first; `./iptv` is a file in any case.
    ///
    /// - Throws: one problem, when there is no such thing or it is no text.
    public static func load(_ argument: String) throws(ScenarioProblems) -> ScenarioDocument {
        if let preset = Preset.named(argument) { return ScenarioDocument(preset) }
        let path = absolute(argument, in: FileManager.default.currentDirectoryPath)
        let text = try ScenarioFile.text(argument, path: path)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        return ScenarioDocument(title: argument, text: text, folder: "/" + folder)
    }

    /// The complete scenario, after changes in their order.
    ///
    /// - Parameters:
    ///   - settings: `--set` and the options that stand for one.
    ///   - checksFiles: whether the files that it names must be there.
    /// - Throws: everything that is wrong with it, at once.
    public func resolve(
        _ settings: [ScenarioSetting] = [], checksFiles: Bool = true
    ) throws(ScenarioProblems) -> ExperimentScenario {
        let context = DecodingContext(folder: folder, checksFiles: checksFiles)
        let problems = context.problems
        var root = ScenarioNode.parse(yaml: text, problems: problems) { [title] line in .line(file: title, line) }
        // Without a tree there is nothing that could be checked.
        if root == nil, problems.problems.isEmpty {
            problems.add(
                ScenarioProblem(
                    .file(title), path: "", "the scenario is empty", expected: "at least program: { file: movie.ts }"))
        }
        if let node = root, let problem = foreign(node) {
            problems.add(problem)
            root = nil
        }
        guard var root else {
            try problems.throwIfAny()
            throw ScenarioProblems([ScenarioProblem(.file(title), path: "", "the scenario cannot be read")])
        }
        for setting in settings { setting.apply(to: &root, problems: problems) }
        ShapeCheck(problems: problems).check(root, ExperimentScenario.record.shape, path: "")
        let reader = ScenarioReader(node: root, place: root.place, path: "", context: context)
        let scenario = ExperimentScenario.record.read(reader)
        try problems.throwIfAny()
        guard var scenario else {
            throw ScenarioProblems([ScenarioProblem(.file(title), path: "", "the scenario cannot be read")])
        }
        if scenario.name.isEmpty { scenario.name = defaultName }
        return scenario
    }
}

extension ScenarioDocument {
    /// Why a tree was not meant to be a scenario; nil if it may have been.
    ///
    /// A text without a single key of a scenario is something else, opened by mistake: one problem says so, and none
    /// of its contents is repeated in messages that end up in logs.
    private func foreign(_ root: ScenarioNode) -> ScenarioProblem? {
        let names = ExperimentScenario.record.keys.map(\.name)
        let hint = "rubato presets show iptv prints a scenario"
        let expected = "keys: " + names.joined(separator: ", ")
        guard case .map(let entries) = root.content else {
            let statement = "\(root.kindInWords) cannot be a scenario"
            return ScenarioProblem(root.place, path: "", statement, expected: expected, hint: hint)
        }
        let isKnown = entries.contains {
            names.contains($0.key) || !Suggestions.nearest(to: $0.key, among: names).isEmpty
        }
        guard !entries.isEmpty, !isKnown else { return nil }
        return ScenarioProblem(
            .file(title), path: "", "none of its keys is a scenario's", expected: expected, hint: hint)
    }
}

/// Reading a scenario's file.
enum ScenarioFile {
    /// A scenario is text of a few kilobytes, a long schedule written out of a few megabytes; nothing larger is meant to be
    /// one.
    static let largestSize = 16_000_000

    static func text(_ title: String, path: String) throws(ScenarioProblems) -> String {
        if let reason = unreadable(path) {
            guard reason == "does not exist" else { throw problem(title, "the scenario \(reason)") }
            let names = Preset.all.map(\.name)
            let near = title.contains("/") ? nil : Suggestions.nearest(to: title, among: names).first
            let hint = near.map { "did you mean the preset '\($0)'?" }
            throw problem(
                title, "there is no such file and no such preset",
                expected: "a YAML file or one of the presets " + names.joined(separator: ", "), hint: hint)
        }
        let bytes: [UInt8]
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            bytes = Array(try handle.read(upToCount: largestSize + 1) ?? Data())
        } catch {
            throw problem(title, "the scenario cannot be read: \(error.localizedDescription)")
        }
        if bytes.isEmpty {
            throw problem(
                title, "the file is empty", expected: "a scenario", hint: "rubato presets show iptv prints one")
        }
        if let kind = binaryKind(bytes) {
            let hint = kind.isMedia ? "name it in a scenario: program: { file: \(title) }" : nil
            throw problem(title, "this is \(kind.name), not a scenario", expected: "a YAML text", hint: hint)
        }
        if bytes.count > largestSize {
            throw problem(title, "the file is too large for a scenario", expected: "at most \(largestSize) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem(title, "the file is not text in UTF-8", expected: "a YAML text")
        }
        return text
    }

    /// What a file that is no text seems to be, by its first bytes.
    static func binaryKind(_ bytes: [UInt8]) -> (name: String, isMedia: Bool)? {
        let magics: [([UInt8], String)] = [
            ([0xff, 0xd8, 0xff], "a JPEG picture"), ([0x89, 0x50, 0x4e, 0x47], "a PNG picture"),
            ([0x25, 0x50, 0x44, 0x46], "a PDF document"), ([0x1f, 0x8b], "a gzip file"),
            ([0x50, 0x4b, 3, 4], "a zip file"), ([0xd4, 0xc3, 0xb2, 0xa1], "a pcap capture"),
            ([0x4d, 0x3c, 0xb2, 0xa1], "a pcap capture"), ([0x0a, 0x0d, 0x0d, 0x0a], "a pcapng capture"),
        ]
        if let magic = magics.first(where: { bytes.starts(with: $0.0) }) { return (magic.1, false) }
        if bytes.count > 376, bytes[0] == 0x47, bytes[188] == 0x47, bytes[376] == 0x47 {
            return ("an MPEG transport stream", true)
        }
        if bytes.count > 8, bytes[4..<8].elementsEqual("ftyp".utf8) { return ("an MP4 file", false) }
        return bytes.contains(0) ? ("a binary file", false) : nil
    }

    private static func problem(
        _ title: String, _ statement: String, expected: String? = nil, hint: String? = nil
    ) -> ScenarioProblems {
        ScenarioProblems([
            ScenarioProblem(.file(shortened(title, to: 300)), path: "", statement, expected: expected, hint: hint)
        ])
    }
}
