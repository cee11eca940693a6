import Results
import Capture
import Glibc

/// Where results and messages go. Results are for stdout, everything else for stderr.
public final class Console {
    /// Whether results may carry colours: a terminal, and no NO_COLOR.
    let isColoured: Bool
    /// Whether a progress bar may be drawn: stderr is a terminal.
    let showsProgress: Bool
    /// The first failure to write a result, other than a reader that has gone.
    public private(set) var failure: SystemError?

    private let outputDescriptor: Int32
    private let errorDescriptor: Int32
    private var readerIsGone = false

    public init(outputDescriptor: Int32, errorDescriptor: Int32, isColoured: Bool, showsProgress: Bool) {
        self.outputDescriptor = outputDescriptor
        self.errorDescriptor = errorDescriptor
        self.isColoured = isColoured
        self.showsProgress = showsProgress
    }

    /// This process's stdout and stderr.
    public static func system() -> Console {
        let isDumb = environment("TERM") == "dumb"
        let noColour = environment("NO_COLOR").map { !$0.isEmpty } ?? false
        return Console(
            outputDescriptor: 1, errorDescriptor: 2, isColoured: isatty(1) == 1 && !noColour && !isDumb,
            showsProgress: isatty(2) == 1 && !isDumb)
    }

    /// Writes a result as it is.
    public func result(_ text: String) { result(Array(text.utf8)) }

    func result(_ bytes: [UInt8]) {
        guard !readerIsGone, failure == nil else { return }
        guard let code = bytes.withUnsafeBytes({ writeAll($0, to: outputDescriptor) }) else { return }
        // `rubato run ... | head` is no error.
        if code == EPIPE {
            readerIsGone = true
        } else {
            failure = SystemError(operation: "write", path: "standard output", code: code)
        }
    }

    /// Writes a message for the user, every line after "rubato: ".
    public func message(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        raw(lines.map { "rubato: \($0)\n" }.joined())
    }

    /// Writes to stderr as it is; a failure has nobody to be told to.
    func raw(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { writeAll($0, to: errorDescriptor) }
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// Nanoseconds of a clock that only goes forward; its zero means nothing.
func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// The date and time now, for file names: "20260131T235959Z".
public func utcStamp(unixSeconds: Int = time(nil)) -> String {
    var seconds = time_t(unixSeconds)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ value: Int32) -> String { (value < 10 ? "0" : "") + value.description }
    return "\(parts.tm_year + 1900)\(padded(parts.tm_mon + 1))\(padded(parts.tm_mday))T"
        + "\(padded(parts.tm_hour))\(padded(parts.tm_min))\(padded(parts.tm_sec))Z"
}
