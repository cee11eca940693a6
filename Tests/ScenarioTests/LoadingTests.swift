import Foundation
import Testing
import Timebase

@testable import Scenario

@Suite("Loading a scenario")
final class LoadingTests {
    let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("rubato-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = absolute(url.path, in: "/")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    func problem(_ argument: String) throws -> ScenarioProblem {
        let error = #expect(throws: ScenarioProblems.self) { try ScenarioDocument.load(argument) }
        let found = try #require(error?.problems)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    @Test func filesAreRelativeToTheScenariosFolder() throws {
        let media = try write("movie.ts", [0x47])
        let path = try write("evening dsl.yaml", Array("program: { file: ./movie.ts }".utf8))
        let document = try ScenarioDocument.load(path)
        #expect(document.text == "program: { file: ./movie.ts }")
        #expect(document.folder == folder)
        let scenario = try document.resolve()
        #expect(scenario.name == "evening_dsl")
        #expect(scenario.program == .file(.init(path: media, loops: false, sha256: nil)))
    }

    @Test func filesOnTheCommandLineAreRelativeToTheWorkingDirectory() throws {
        let path = try write("a.yaml", Array("program: { file: movie.ts }".utf8))
        let scenario = try ScenarioDocument.load(path)
            .resolve([ScenarioSetting(argument: "program.file=x.ts")], checksFiles: false)
        let expected = absolute("x.ts", in: FileManager.default.currentDirectoryPath)
        #expect(scenario.program == .file(.init(path: expected, loops: false, sha256: nil)))
    }

    @Test func aMissingMediaFileIsAProblemBesideTheOthers() throws {
        let path = try write("a.yaml", Array("seed: x\nprogram: { file: movie.ts }".utf8))
        let error = #expect(throws: ScenarioProblems.self) { try ScenarioDocument.load(path).resolve() }
        let found = try #require(error?.problems)
        #expect(found.map(\.path) == ["seed", "program.file"])
        #expect(found[1].statement == "'\(folder + "/movie.ts")' does not exist")
        #expect(found[1].hint == "names are relative to the scenario's folder")
    }

    @Test func aFolderIsNoScenarioAndNoProgram() throws {
        #expect(try problem(folder).statement == "the scenario is a directory")
        let path = try write("a.yaml", Array("program: { file: . }".utf8))
        let error = #expect(throws: ScenarioProblems.self) { try ScenarioDocument.load(path).resolve() }
        #expect(error?.problems.first?.statement.hasSuffix("is a directory") == true)
    }

    @Test func anUnknownNameListsThePresets() throws {
        let found = try problem("iptvv")
        #expect(found.place == .file("iptvv"))
        #expect(found.statement == "there is no such file and no such preset")
        #expect(found.hint == "did you mean the preset 'iptv'?")
        for preset in Preset.all { #expect(found.expected?.contains(preset.name) == true) }
        #expect(try problem(folder + "/no.yaml").hint == nil)
    }

    @Test func presetsAreLoadedByName() throws {
        let document = try ScenarioDocument.load("wifi-busy")
        #expect(document.title == "preset wifi-busy")
        #expect(try document.resolve().name == "wifi-busy")
    }

    /// A file that is no scenario, told by its name alone: millions of bytes would go into the test's log.
    struct Strange: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var words: String

        init(_ name: String, _ bytes: [UInt8], _ words: String) {
            (self.name, self.bytes, self.words) = (name, bytes, words)
        }

        var testDescription: String { name }
    }

    static let strange = [
        Strange("empty", [], "the file is empty"),
        Strange("jpeg", [0xff, 0xd8, 0xff, 0xe0, 0, 0x10], "a JPEG picture"),
        Strange("png", [0x89, 0x50, 0x4e, 0x47, 0x0d], "a PNG picture"),
        Strange("ts", (0..<600).map { $0 % 188 == 0 ? 0x47 : 0xff }, "an MPEG transport stream"),
        Strange("pcap", [0xd4, 0xc3, 0xb2, 0xa1, 2, 0], "a pcap capture"),
        Strange("mp4", [0, 0, 0, 0x20] + Array("ftypisom".utf8), "an MP4 file"),
        Strange("nul", Array("a: ".utf8) + [0], "a binary file"),
        Strange("latin1", Array("name: caf".utf8) + [0xe9], "not text in UTF-8"),
        Strange("large", Array(repeating: 0x20, count: ScenarioFile.largestSize + 1), "too large"),
    ]

    @Test("What is no scenario is told by what it is", arguments: strange)
    func strangeFile(file: Strange) throws {
        let path = try write(file.name + ".yaml", file.bytes)
        #expect(try problem(path).statement.contains(file.words))
    }

    @Test func aTransportStreamGetsTheWayToRunIt() throws {
        let path = try write("a.ts", (0..<600).map { $0 % 188 == 0 ? 0x47 : 0xff })
        #expect(try problem(path).hint?.contains("program: { file: ") == true)
    }

    @Test func aRunsRecordRunsFromAnywhere() throws {
        _ = try write("movie.ts", [0x47])
        let path = try write("a.yaml", Array("program: { file: movie.ts }\nduration: 3s".utf8))
        let scenario = try ScenarioDocument.load(path).resolve()
        let record = ScenarioDocument(title: "resolved.yaml", text: scenario.resolvedYAML, folder: "/")
        #expect(try record.resolve() == scenario)
    }

    @Test func aTextThatIsNoScenarioIsOneProblemAndIsNotRepeated() throws {
        let path = try write("users.txt", Array("alice:secret-one\nx: secret-two\n\"hidden\": secret-three\n".utf8))
        for text in [path, try write("keys.yaml", Array("password: secret-one\ntoken: secret-two\n".utf8))] {
            let error = #expect(throws: ScenarioProblems.self) { try ScenarioDocument.load(text).resolve() }
            let found = try #require(error)
            #expect(found.problems.count == 1)
            #expect(!found.description.contains("secret"))
            #expect(found.problems.first?.value == nil)
        }
    }

    @Test(.enabled(if: getuid() != 0, "root may read every file"))
    func aFileWithoutPermissionIsNamed() throws {
        let path = try write("closed.yaml", Array("seed: 1".utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        #expect(try problem(path).statement == "the scenario cannot be read: permission denied")
    }

    static let paths = [
        ("a.ts", "/x/a.ts"), ("./a.ts", "/x/a.ts"), ("../a.ts", "/a.ts"), ("/b/./c//d/../e", "/b/c/e"),
        ("../../..", "/"),
    ]

    @Test("Paths are made absolute", arguments: paths)
    func absolutePath(path: String, expected: String) {
        #expect(absolute(path, in: "/x") == expected)
    }
}
