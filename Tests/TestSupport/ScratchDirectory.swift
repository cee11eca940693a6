import Capture
import Glibc
import Results
import Sessions

/// A directory that goes away with the object.
package final class ScratchDirectory {
    package let path: String

    package init() throws {
        var template = Array("/tmp/rubato-report-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError(operation: "create directory", path: "/tmp", code: errno)
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileTree.remove(path) }

    package func text(_ name: String) throws -> String {
        String(decoding: try FileTree.contents(of: path + "/" + name), as: UTF8.self)
    }

    package func write(_ name: String, _ text: String) throws {
        let target = path + "/" + name
        try FileTree.createDirectories(FileTree.parent(of: target))
        let file = try OutputFile(path: target)
        file.write(text)
        try file.close()
    }

    /// A console whose two streams are the files "out" and "err" here.
    package func console() throws -> (Console, () throws -> (out: String, err: String)) {
        let out = open(path + "/out", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let err = open(path + "/err", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let console = Console(outputDescriptor: out, errorDescriptor: err, isColoured: false, showsProgress: false)
        return (console, { try (self.text("out"), self.text("err")) })
    }
}
