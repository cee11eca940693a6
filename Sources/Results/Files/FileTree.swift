import Capture
import Glibc

/// The few things that need doing with files and directories.
public enum FileTree {
    /// What there is at a path.
    public enum Kind: Sendable {
        /// `other`: a device, a pipe, a socket.
        case file, directory, symbolicLink, other
    }

    /// What is at `path` itself (a link is not followed); nil when nothing is.
    public static func kind(of path: String) -> Kind? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFLNK: return .symbolicLink
        default: return .other
        }
    }

    /// Names in a directory, sorted by their bytes, without "." and "..".
    ///
    /// - Throws: ``SystemError``.
    static func names(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else {
            throw SystemError(operation: "read directory", path: directory, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Paths of all regular files below a directory, relative to it, sorted by their bytes.
    ///
    /// - Throws: ``SystemError``.
    static func files(under directory: String) throws -> [String] {
        var found: [String] = []
        for name in try names(in: directory) {
            let path = directory + "/" + name
            switch kind(of: path) {
            case .file: found.append(name)
            case .directory: found += try files(under: path).map { name + "/" + $0 }
            default: break
            }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Creates a directory with all that is missing above it.
    ///
    /// - Returns: the directories that had to be created, outermost first.
    /// - Throws: ``SystemError``.
    @discardableResult
    public static func createDirectories(_ path: String) throws -> [String] {
        if mkdir(path, 0o755) == 0 { return [path] }
        let code = errno
        if code == EEXIST {
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return [] }
            throw SystemError(operation: "create directory", path: path, code: ENOTDIR)
        }
        let above = parent(of: path)
        guard code == ENOENT, above != path else {
            throw SystemError(operation: "create directory", path: path, code: code)
        }
        let created = try createDirectories(above)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            let code = errno
            for directory in created.reversed() { rmdir(directory) }
            throw SystemError(operation: "create directory", path: path, code: code)
        }
        return created + [path]
    }

    /// Removes a file or a directory with everything in it; links are removed, not followed.
    ///
    /// - Throws: ``SystemError``, after having removed what could be.
    public static func remove(_ path: String) throws {
        guard let kind = kind(of: path) else { return }
        guard kind == .directory else {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw SystemError(operation: "remove", path: path, code: errno)
            }
            return
        }
        for name in try names(in: path) { try remove(path + "/" + name) }
        guard rmdir(path) == 0 else { throw SystemError(operation: "remove", path: path, code: errno) }
    }

    /// Everything in a file.
    ///
    /// - Throws: ``SystemError``.
    public static func contents(of path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try read(path) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Hands a file's bytes to `body` piece by piece.
    ///
    /// - Throws: ``SystemError``, and what `body` throws.
    static func read(_ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(operation: "read", path: path, code: errno) }
        defer { _ = close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError(operation: "read", path: path, code: errno)
            }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        }
    }

    /// "a/b" for "a/b/c", "." for "c", "/" for "/c".
    public static func parent(of path: String) -> String {
        let trimmed = trimmingSlashes(path)
        guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        let above = trimmingSlashes(String(trimmed[..<slash]))
        return above.isEmpty ? "/" : above
    }

    /// "c" for "a/b/c" and for "a/b/c/".
    public static func lastComponent(of path: String) -> String {
        let trimmed = trimmingSlashes(path)
        guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return trimmed }
        return String(trimmed[trimmed.utf8.index(after: slash)...])
    }

    private static func trimmingSlashes(_ path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }
}
