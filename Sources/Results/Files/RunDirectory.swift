import Capture
import Glibc

/// A run's directory while it is being filled: under a temporary name beside its final one until it is complete.
///
/// A run directory is whole or absent. What is not finished is removed when the object goes, so that an error
/// anywhere leaves nothing behind.
public final class RunDirectory {
    /// Where the files are now.
    public let workingPath: String
    /// Directories made on the way that must go again if the run fails.
    private let createdParents: [String]
    private let replacing: Bool
    private var isFinished = false

    /// A directory that will have the name `path`.
    ///
    /// - Parameter force: replace a run directory that is there already; it stays until the new one is complete.
    /// - Throws: ``UserFacingError`` when something is in the way, ``SystemError``.
    public convenience init(path: String, force: Bool) throws {
        let name = FileTree.lastComponent(of: path)
        guard !name.isEmpty, name != ".", name != "..", name != "/" else {
            throw UserFacingError.usage(
                "'\(path)' cannot be a run directory", remedy: "name a directory that does not exist yet: --out runs/r1"
            )
        }
        try RunDirectory.refuseWhatIsThere(at: path, force: force)
        try self.init(parent: FileTree.parent(of: path), name: name, replacing: force)
    }

    /// A directory below `parent` whose name is known only when the run is complete.
    ///
    /// - Throws: ``SystemError``.
    public convenience init(parent: String, provisionalName: String) throws {
        try self.init(parent: parent, name: RunDirectory.fileName(provisionalName), replacing: false)
    }

    private init(parent: String, name: String, replacing: Bool) throws {
        self.replacing = replacing
        createdParents = try FileTree.createDirectories(parent)
        var attempt = 0
        while true {
            // Names are at most 255 bytes long; the end of a long one does not matter here.
            let stem = String(decoding: name.utf8.prefix(200), as: UTF8.self)
            let suffix = attempt == 0 ? "" : "-\(attempt)"
            let path = "\(parent)/.\(stem).partial-\(getpid())\(suffix)"
            if mkdir(path, 0o755) == 0 {
                workingPath = path
                return
            }
            guard errno == EEXIST, attempt < 100 else {
                let code = errno
                for directory in createdParents.reversed() { rmdir(directory) }
                throw SystemError(operation: "create a directory in", path: parent, code: code)
            }
            attempt += 1
        }
    }

    deinit { if !isFinished { discard() } }

    /// The path of a file to be written; directories above it are created.
    ///
    /// - Throws: ``SystemError``.
    func prepare(_ relativePath: String) throws -> String {
        let path = workingPath + "/" + relativePath
        try FileTree.createDirectories(FileTree.parent(of: path))
        return path
    }

    /// Creates a file to be written through a buffer.
    ///
    /// - Throws: ``SystemError``.
    public func create(_ relativePath: String) throws -> OutputFile {
        try OutputFile(path: prepare(relativePath))
    }

    /// Writes a whole file.
    ///
    /// - Throws: ``SystemError``.
    public func write(_ relativePath: String, _ text: String) throws {
        let file = try create(relativePath)
        file.write(text)
        try file.close()
    }

    /// Every file written so far, with its length and digest.
    ///
    /// - Throws: ``SystemError``.
    public func artifacts() throws -> [Artifact] {
        try FileTree.files(under: workingPath).map { try Artifact(path: $0, in: workingPath) }
    }

    /// Gives the directory its final name.
    ///
    /// A name made by the program that is taken gets a number; one that the user chose is refused.
    ///
    /// - Returns: the final path.
    /// - Throws: ``UserFacingError``, ``SystemError``; the files are gone then.
    public func finish(as path: String, mayNumber: Bool = false) throws -> String {
        do {
            let final = try rename(to: path, mayNumber: mayNumber)
            isFinished = true
            return final
        } catch {
            discard()
            throw error
        }
    }

    /// Removes everything, and the parents that were made for it.
    public func discard() {
        guard !isFinished else { return }
        isFinished = true
        // Nothing better can be done about a directory that does not go: the failure that led here is the one to tell.
        try? FileTree.remove(workingPath)
        for directory in createdParents.reversed() { rmdir(directory) }
    }

    private func rename(to path: String, mayNumber: Bool) throws -> String {
        if mayNumber {
            var candidate = path
            var number = 2
            while FileTree.kind(of: candidate) != nil {
                candidate = "\(path)-\(number)"
                number += 1
            }
            try move(workingPath, to: candidate)
            return candidate
        }
        try RunDirectory.refuseWhatIsThere(at: path, force: replacing)
        guard FileTree.kind(of: path) != nil else {
            try move(workingPath, to: path)
            return path
        }
        // The old one is set aside first: between the two renames the name is free, but never half-written.
        let aside = workingPath + ".replaced"
        try move(path, to: aside)
        do {
            try move(workingPath, to: path)
        } catch {
            try? move(aside, to: path)
            throw error
        }
        try FileTree.remove(aside)
        return path
    }

    private func move(_ source: String, to target: String) throws {
        guard Glibc.rename(source, target) == 0 else {
            let code = errno
            if code == EEXIST || code == ENOTEMPTY { throw RunDirectory.exists(target) }
            throw SystemError(operation: "give the run directory its name", path: target, code: code)
        }
    }

    private static func refuseWhatIsThere(at path: String, force: Bool) throws {
        guard try holdsRun(path) else {
            throw UserFacingError.usage(
                "'\(path)' exists and is not a run directory: --force does not replace it",
                remedy: "choose another name with --out DIR, or remove it yourself")
        }
        guard force || FileTree.kind(of: path) == nil else { throw exists(path) }
    }

    /// Whether there is nothing but a run, an empty directory, or nothing at all: --force replaces no home directories.
    private static func holdsRun(_ path: String) throws -> Bool {
        guard let kind = FileTree.kind(of: path) else { return true }
        guard kind == .directory else { return false }
        let names = try FileTree.names(in: path)
        return names.isEmpty || names.contains("run.json")
    }

    private static func exists(_ path: String) -> UserFacingError {
        .usage("'\(path)' exists already", remedy: "choose another name with --out DIR, or replace it with --force")
    }

    /// A scenario's name as a file name: letters, digits, '.', '_' and '-' stay, all else becomes '-'.
    public static func fileName(_ name: String) -> String {
        var bytes = name.utf8.prefix(80).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"):
                byte
            default: UInt8(ascii: "-")
            }
        }
        while bytes.first == UInt8(ascii: ".") || bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
        return bytes.isEmpty ? "run" : String(decoding: bytes, as: UTF8.self)
    }
}
