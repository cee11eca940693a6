import Metrics
import Timebase
import Wire

/// What commands truly did: which receiver did what in which order.
struct CommandLedger: Sendable {
    /// A command, by who sent it and which of its commands it is, from 0.
    struct Name: Hashable, Sendable {
        var sender: UInt16
        var number: UInt32
    }

    /// When the first and the latest receiver did what a command asks for, and how many have.
    private struct Application {
        var first: Instant
        var latest: Instant
        var count = 1
    }

    /// Of each receiver, what it has done, in its order.
    private var applied: [[Name]]
    /// In the order in which the first receiver did them.
    private var applications: [(name: Name, value: Application)] = []
    /// Of each receiver, since when it stands on command, and for how long it has before.
    private var pauses: [(since: Instant?, total: TimeSpan)]
    private var applicationCuts: [Int64]

    init(receivers: Int, cuts: DistributionCuts) {
        applied = Array(repeating: [], count: receivers)
        pauses = Array(repeating: (nil, .zero), count: receivers)
        applicationCuts = cuts[.applicationSpread]
    }

    mutating func note(_ command: PlaybackCommand, _ name: Name, receiver: Int, at now: Instant) {
        applied[receiver].append(name)
        if let index = applications.firstIndex(where: { $0.name == name }) {
            applications[index].value.latest = now
            applications[index].value.count += 1
        } else {
            applications.append((name, Application(first: now, latest: now)))
        }
        switch command {
        case .pause: pauses[receiver].since = pauses[receiver].since ?? now
        case .play:
            pauses[receiver].total = paused(receiver, at: now)
            pauses[receiver].since = nil
        case .seek: break
        }
    }

    /// For how long a receiver has stood on command.
    func paused(_ receiver: Int, at now: Instant) -> TimeSpan {
        pauses[receiver].total + (pauses[receiver].since.map { now - $0 } ?? .zero)
    }

    /// From the first to the last receiver, of each command that all did.
    var applicationSpread: Distribution? {
        var result = Histogram(cuts: applicationCuts)
        for (_, application) in applications where application.count == applied.count {
            result.add((application.latest - application.first).nanoseconds)
        }
        return result.distribution
    }

    /// How many commands a receiver did.
    func count(_ receiver: Int) -> Int64 { Int64(applied[receiver].count) }

    /// Whether all receivers did the same, in the same order.
    var isOneOrder: Bool { applied.allSatisfy { $0 == applied.first } }
}
