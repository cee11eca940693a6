import Capture
import Glibc

/// What the process tells the shell when it ends.
public enum ExitStatus {
    /// All was done, and every check passed.
    public static let success: Int32 = 0
    /// It failed at run time.
    public static let failure: Int32 = 1
    /// A check or the QoS contract failed, or `compare` found a regression.
    public static let checkFailed: Int32 = 3
    /// The measurement is not valid: real time fell behind its limits.
    static let notValid: Int32 = 4
    /// Wrong usage, or a scenario with mistakes (EX_USAGE).
    static let usage: Int32 = 64
    /// The user stopped it: 128 and SIGINT's number.
    public static let interrupted: Int32 = 130
}

/// A failure that the user can understand and mend: what is wrong, what to do about it, and the exit status.
public struct UserFacingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence naming the thing; may have more lines when several problems are reported at once.
    public var message: String
    /// What the user can do; nil where the message says it already.
    var remedy: String?
    /// What the process tells the shell on its account: see ``ExitStatus``.
    public var exitStatus: Int32

    /// A failure with what to do about it and how the process ends.
    public init(_ message: String, remedy: String? = nil, exitStatus: Int32 = ExitStatus.failure) {
        self.message = message
        self.remedy = remedy
        self.exitStatus = exitStatus
    }

    /// A mistake in what the user asked for: exit status 64.
    public static func usage(_ message: String, remedy: String? = nil) -> UserFacingError {
        UserFacingError(message, remedy: remedy, exitStatus: ExitStatus.usage)
    }

    public var description: String {
        guard let remedy else { return message }
        return message + "\n" + remedy
    }
}

extension SystemError {
    /// "cannot write runs/r1/run.json: No space left on device"
    public var message: String {
        let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
        return "cannot \(operation) \(path): \(reason)"
    }

    /// The message, and on a line of its own the remedy where there is one.
    public var explanation: String { remedy.map { message + "\n" + $0 } ?? message }

    /// What the user can do about it, for the failures that have a usual remedy.
    var remedy: String? {
        switch code {
        case ENOSPC, EDQUOT:
            "free some space, or write elsewhere with --out DIR (fewer files: 'outputs: { media: none }', no --capture)"
        case EACCES, EPERM, EROFS: "choose a directory that you may write to with --out DIR"
        case ENOENT: "check the spelling of the path"
        case ENOTDIR: "a part of the path is a file, not a directory; choose another with --out DIR"
        case ENAMETOOLONG: "choose a shorter path with --out DIR"
        case EMFILE, ENFILE: "raise the limit of open files (ulimit -n) or capture at fewer points"
        default: nil
        }
    }
}
