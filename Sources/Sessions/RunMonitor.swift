import Results
import Timebase

/// What a driver tells of its progress, and asks whether to go on.
///
/// Call ``report(_:)`` every so many milliseconds of emulated time or every few thousand events, not for each.
public final class RunMonitor {
    private let total: TimeSpan
    private let stopTime: Instant?
    private let console: Console?
    private let began: Int64
    private var lastDrawn: Int64 = 0
    private var isDrawn = false

    /// - Parameters:
    ///   - console: nil draws nothing.
    ///   - stopTime: where a run that was interrupted there is to be interrupted again.
    init(total: TimeSpan, console: Console?, stopTime: Instant? = nil) {
        self.stopTime = stopTime
        self.total = total
        self.console = console.flatMap { $0.showsProgress ? $0 : nil }
        began = monotonicNanoseconds()
    }

    /// Whether the sources should stop now, and what is under way drain: the user asked for it, or had asked for it at
    /// this time of the run that is repeated.
    func shouldStop(at now: Instant) -> Bool {
        Interrupt.isRequested || stopTime.map { now >= $0 } ?? false
    }

    /// Wall-clock time since the monitor was made, nanoseconds.
    var elapsed: Int64 { monotonicNanoseconds() - began }

    /// Draws the bar, at most ten times a second and not in the first second.
    public func report(_ now: Instant) {
        guard let console else { return }
        let elapsed = elapsed
        guard elapsed > 1_000_000_000, elapsed - lastDrawn > 100_000_000 else { return }
        lastDrawn = elapsed
        isDrawn = true
        console.raw("\r" + RunMonitor.bar(now: now, total: total, elapsed: elapsed) + "\u{1B}[K")
    }

    /// Takes the bar away.
    func finish() {
        if isDrawn { console?.raw("\r\u{1B}[K") }
        isDrawn = false
    }

    /// "███████▍            37 %  22.2 s of 60.0 s  194× real time  ETA 3 s"
    public static func bar(now: Instant, total: TimeSpan, elapsed: Int64, width: Int = 24) -> String {
        let done = min(max(Double(now.nanoseconds) / Double(max(total.nanoseconds, 1)), 0), 1)
        let eighths = Int(done * Double(width * 8))
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let filled = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        let rest = String(repeating: " ", count: width - displayWidth(filled))
        let speed = Double(now.nanoseconds) / Double(max(elapsed, 1))
        let remaining = done > 0 ? Int64(Double(elapsed) * (1 - done) / done) : nil
        let eta = remaining.map { Format.decimal(Double($0) / 1e9, places: 0) + " s" } ?? Format.notMeasured
        return "\(filled)\(rest) \(Int(done * 100)) %  \(Format.time(now.nanoseconds)) of "
            + "\(Format.time(total.nanoseconds))  \(Format.speed(speed)) real time  ETA \(eta)"
    }
}
