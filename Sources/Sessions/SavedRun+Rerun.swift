import Results
import Timebase

extension SavedRun {
    /// Where the sources of a run that was interrupted are stopped when it is run again, as they were then; nil: at its end.
    var stopTime: Instant? {
        guard fact("status").string == RunStatus.interrupted.rawValue else { return nil }
        return fact("duration_ns").integer.map { Instant(nanoseconds: $0) }
    }
}
