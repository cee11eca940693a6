import Timebase
import Wire

/// The program's clock as its PCRs tell it, in stretches within which it runs on.
struct ProgramClock {
    /// A stretch without a jump. Ticks of 90 kHz, unwrapped from the stretch's first PCR on.
    struct Stretch {
        var first: Int64
        var last: Int64
        /// What is added to the stretch's times to put it behind the one before.
        var offset: Int64
        var count = 1
    }

    private(set) var stretches: [Stretch] = []
    /// From the last PCR but one to the last, the best guess for what passed in a jump.
    private var interval: Int64 = 0

    /// A step is a jump when it goes back, or forward by more: 1 s where the stream says that the clock jumps, else 10.
    private static let announcedStep: Int64 = 90_000
    private static let silentStep: Int64 = 900_000

    mutating func take(pcr: Int64, isAnnounced: Bool) {
        let base = pcr / 300
        guard let current = stretches.last else {
            stretches.append(Stretch(first: base, last: base, offset: 0))
            return
        }
        let limit = isAnnounced ? Self.announcedStep : Self.silentStep
        let value = Self.nearest(base, to: current.last)
        if (0...limit).contains(value - current.last) {
            extend(to: value)
        } else if current.count == 1, let before = stretches.dropLast().last,
            case let value = Self.nearest(base, to: before.last), (0...Self.silentStep).contains(value - before.last)
        {
            // One value stood alone, and the clock goes on as before it: that value was damaged.
            stretches.removeLast()
            extend(to: value)
        } else {
            stretches.append(
                Stretch(first: base, last: base, offset: current.last + current.offset + interval - base))
        }
    }

    private mutating func extend(to value: Int64) {
        let index = stretches.count - 1
        interval = value - stretches[index].last
        stretches[index].last = value
        stretches[index].count += 1
    }

    /// What a timestamp modulo 2^33 stands for next to a time that is not wrapped.
    static func nearest(_ wrapped: Int64, to reference: Int64) -> Int64 {
        reference + ((wrapped &- reference) << 31) >> 31
    }
}
