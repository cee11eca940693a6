import Foundation
import Results

/// The ffmpeg that is installed.
struct FFmpeg {
    private let executable: URL

    /// Finds it where the shell would.
    ///
    /// - Throws: ``UserFacingError`` where there is none.
    init() throws(UserFacingError) {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        let found = path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/ffmpeg") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else {
            throw UserFacingError(
                "pictures are decoded and compared by ffmpeg, and there is none on the PATH",
                remedy: "install it: apt-get install ffmpeg")
        }
        executable = found
    }

    /// Runs it in a directory until it ends.
    ///
    /// - Throws: ``UserFacingError`` with what it said where it failed.
    func run(_ arguments: [String], in directory: String) throws {
        let errors = directory + "/ffmpeg.log"
        let process = Process()
        process.executableURL = executable
        process.arguments = ["-nostdin", "-hide_banner", "-loglevel", "fatal", "-y"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus != 0 else { return }
        let said = String(decoding: try FileTree.contents(of: errors), as: UTF8.self)
        let line = said.split(separator: "\n").last.map(String.init) ?? "exit status \(process.terminationStatus)"
        throw UserFacingError("ffmpeg could not compare the pictures: \(line)")
    }
}
