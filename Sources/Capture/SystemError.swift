import Glibc

/// A system call that failed: what was being done, to which path, and why.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the infinitive: "write", "create".
    public var operation: String
    /// The file or interface that it was done to.
    public var path: String
    /// The value of `errno`.
    public var code: Int32

    public init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// "cannot write capture/sender.pcap: No space left on device"
    public var description: String {
        "cannot \(operation) \(path): " + (strerror(code).map { String(cString: $0) } ?? "error \(code)")
    }
}
