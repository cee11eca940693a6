import Foundation

/// The tools that these tests ask for a second opinion.
enum Peers {
    static let ffprobe = find("ffprobe")
    static let ffmpeg = find("ffmpeg")
    static var areInstalled: Bool { ffprobe != nil && ffmpeg != nil }

    private static func find(_ name: String) -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        return path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/\(name)") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Runs a tool over a transport stream in a temporary file, whose name replaces `INPUT` in the arguments.
    static func run(_ tool: URL?, _ arguments: [String], on stream: [UInt8]) throws -> (output: String, errors: String)
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("media-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let input = folder.appendingPathComponent("stream.ts")
        let output = folder.appendingPathComponent("output")
        let errors = folder.appendingPathComponent("errors")
        try Data(stream).write(to: input)
        for file in [output, errors] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = try tool.orThrow()
        process.arguments = arguments.map { $0.replacing("INPUT", with: input.path) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return (
            String(decoding: try Data(contentsOf: output), as: UTF8.self),
            String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        )
    }
}

struct Absent: Error {}

extension Optional {
    func orThrow() throws -> Wrapped {
        guard let self else { throw Absent() }
        return self
    }
}
