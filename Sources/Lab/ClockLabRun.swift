import Emulator
import Scenario
import Timebase

/// What the clocks of one run did.
public struct ClockLabRun: Sendable {
    /// A node's clock at a full second.
    struct Sample: Sendable {
        var at: Instant
        /// 0: the sender, whose clock is true unless the algorithm moves it.
        var node: Int
        /// Disciplined less true time.
        var error: TimeSpan
        /// The largest error that is claimed; nil: nothing is.
        var bound: TimeSpan?
    }

    /// What was run.
    let synchronization: ExperimentScenario.Synchronization
    /// As it was asked for.
    let setting: String
    /// By how much the way to the sender took longer; negative: shorter.
    public let asymmetry: TimeSpan
    /// The root of the run's random draws.
    public let seed: UInt64
    /// By rising time, then node.
    var samples: [Sample] = []
    /// Exchanges with time servers, beside the truth.
    public var exchanges: [ExchangeRecord] = []
    /// That were sent, by all nodes.
    var messages: Int64 = 0

    init(_ synchronization: ExperimentScenario.Synchronization, setting: String, asymmetry: TimeSpan, seed: UInt64) {
        self.synchronization = synchronization
        (self.setting, self.asymmetry, self.seed) = (setting, asymmetry, seed)
    }

    /// "ntp".
    public var algorithm: String { synchronization.name }

    /// Of a group no clock is a reference: all count, and they are judged by their distance from each other's mean.
    private var isOfGroup: Bool { synchronization.isOfGroup }

    /// What theory says that the clocks' error ends at; nil: it says nothing of it, or that it goes on growing.
    ///
    /// A two-way exchange cannot see an asymmetry: half of it stays (RFC 5905 §8).
    var theory: TimeSpan? {
        synchronization.asksServers ? .nanoseconds(asymmetry.nanoseconds / 2) : nil
    }

    /// The samples that are judged: not the sender's where it is the reference.
    var judged: [Sample] { samples.filter { isOfGroup || $0.node > 0 } }

    /// The mean error of all clocks at each second.
    private var means: [Instant: TimeSpan] {
        var sums: [Instant: (sum: Int64, count: Int64)] = [:]
        for sample in judged {
            let before = sums[sample.at] ?? (0, 0)
            sums[sample.at] = (before.sum + sample.error.nanoseconds, before.count + 1)
        }
        return sums.mapValues { .nanoseconds($0.sum / $0.count) }
    }

    /// Each sample's distance from where it should be: true time with half of the asymmetry, or the group's mean.
    var residuals: [(sample: Sample, residual: TimeSpan)] {
        let means = isOfGroup ? means : [:]
        return judged.map { sample in
            (sample, sample.error - (isOfGroup ? means[sample.at] ?? .zero : theory ?? .zero))
        }
    }

    /// The first second from which on all clocks stay within `limit` of where they should be; nil: they do not, or for less
    /// than the last tenth of the time.
    func converged(within limit: TimeSpan) -> TimeSpan? {
        var since = Instant.zero
        for (sample, residual) in residuals where residual > limit || residual < -limit {
            since = sample.at + .seconds(1)
        }
        guard let last = samples.last?.at, since.nanoseconds <= last.nanoseconds / 10 * 9 else { return nil }
        return since - .zero
    }

    /// Samples at which the error was larger than claimed, of how many.
    var brokenBounds: (broken: Int, claimed: Int) {
        let means = isOfGroup ? means : [:]
        var result = (broken: 0, claimed: 0)
        for sample in judged {
            guard let bound = sample.bound else { continue }
            let error = sample.error - (isOfGroup ? means[sample.at] ?? .zero : .zero)
            result.claimed += 1
            if error > bound || error < -bound { result.broken += 1 }
        }
        return result
    }
}
