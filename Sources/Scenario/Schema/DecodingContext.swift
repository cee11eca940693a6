import Foundation

/// What reading a scenario needs besides its text.
final class DecodingContext {
    let problems = ProblemList()
    /// What could not be read so far: a part during which it stays the same is sound.
    var failures = 0
    /// Absolute path of the scenario's folder.
    let folder: String
    /// Whether named files must be there.
    let checksFiles: Bool

    init(folder: String, checksFiles: Bool) {
        self.folder = folder
        self.checksFiles = checksFiles
    }

    func absolutePath(_ name: String, fromCommandLine: Bool) -> String {
        let base = fromCommandLine ? FileManager.default.currentDirectoryPath : folder
        return absolute(name, in: base)
    }

    /// What names are relative to, in words.
    func origin(_ fromCommandLine: Bool) -> String {
        fromCommandLine ? "the working directory" : "the scenario's folder"
    }
}

/// An absolute path without `.` and `..`.
func absolute(_ path: String, in folder: String) -> String {
    let full = path.hasPrefix("/") ? path : folder + "/" + path
    var components: [Substring] = []
    for component in full.split(separator: "/") where component != "." {
        if component == ".." {
            // A link in the path would make this wrong, as it does in every shell.
            _ = components.popLast()
        } else {
            components.append(component)
        }
    }
    return "/" + components.joined(separator: "/")
}

/// Why a file cannot be read, in words that follow its name; nil if it can.
func unreadable(_ path: String) -> String? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return "does not exist" }
    if isDirectory.boolValue { return "is a directory" }
    return FileManager.default.isReadableFile(atPath: path) ? nil : "cannot be read: permission denied"
}
