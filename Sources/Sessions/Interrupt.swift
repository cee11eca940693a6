import Glibc
import Synchronization

/// The signal that asked the run to stop, set by a handler and polled by the driver.
public enum Interrupt {
    /// 0, or the signal's number. Lock-free, so that a signal handler may set it.
    private static let received = Atomic<Int32>(0)

    /// Ignores SIGPIPE: a reader that has gone is found when writing.
    public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Catches SIGINT and SIGTERM, from when there is something to be ended in order.
    ///
    /// The first signal asks for an orderly end; the next one of its kind ends the process at once.
    static func install() {
        // The handler must not be the first to touch the atomic: a static's first use is not safe in a handler.
        received.store(0, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interrupt.received.store(number, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// The signal that came; nil when none has.
    static var signalNumber: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    static var isRequested: Bool { signalNumber != nil }
}
