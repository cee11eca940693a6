import Timebase

/// The `qos:` section: what a run has to keep, as checks over its measurements.
public struct QoSContract: Equatable, Sendable {
    /// In the contract's order of names.
    public var checks: [QoSCheck]

    init(checks: [QoSCheck] = []) { self.checks = checks }
}

// MARK: - Declaration

extension QoSContract {
    static let record = Record<Self>(
        Self(),
        QoSCheck.Name.allCases.map { name in
            .key(name.rawValue, QoSCheck.kind(name), name.meaning) { contract in
                contract.checks.first { $0.name == name }
            } set: { contract, check in
                contract.checks.append(check)
            }
        })
}

extension QoSCheck {
    fileprivate static func kind(_ name: Name) -> Kind<QoSCheck> {
        let noun = name == .lipSync ? "a tolerance and how often it is kept" : "a comparison in quotes"
        return .scalar(
            Shape.Scalar(noun: noun, example: name.example),
            { text throws(QuantityProblem) in try parse(name, text) }, { "'\($0.text)'" })
    }
}

extension QoSCheck.Name {
    /// As a scenario writes it.
    var example: String {
        switch self {
        case .bitRate: "'>= 4 Mbit/s'"
        case .loss: "'<= 0.1%'"
        case .presented: "'>= 99%'"
        case .lipSync: "'within itu-bt1359 detectability for 99%'"
        default: "'<= 500ms'"
        }
    }

    /// Whether its limit is on a number of a distribution, which it can name.
    var isOnDistribution: Bool { self == .endToEndDelay || self == .roundTripDelay || self == .jitter }

    fileprivate var meaning: String {
        switch self {
        case .bitRate:
            "What was used of each flow, of rtp-separate of all together, in IP bits a second: no copies, and nothing that came too late."
        case .sessionSetupDelay: "From time zero until the session is set up."
        case .endToEndDelay:
            "From capture to presentation: the 99th percentile, unless it says 'max <= 500ms' or 'p95 <= 80ms'."
        case .roundTripDelay:
            "As the sender's reports measure it: the maximum of three at least, unless it says 'p50 <= 80ms'."
        case .jitter: "Delay variation (RFC 5481 PDV): the 99th percentile, unless it says 'p95 <= 20ms'."
        case .loss: "Datagrams that were never there in time, after repair, as a share of those sent."
        case .presented: "Units presented whole and on time, as a share of those sent."
        case .lipSync:
            "The share of the time during which audio and video are as close as a standard asks, or with 'within profile' each receiver's lip_sync.profile."
        }
    }
}

/// One promise of a QoS contract.
public struct QoSCheck: Equatable, Sendable {
    /// The scenario's name for it.
    public var name: Name
    var comparison: Comparison
    var limit: Limit
    /// Which number of a distribution is meant; nil for what the term means without a word: see ``subject``.
    var statistic: Statistic?
    /// Which of the lip-sync bands is meant; for ``Name/lipSync`` alone.
    var band: LipSyncBand?
    /// Of ``Name/bitRate``, whether all sessions of a receiver count together.
    var countsSessions = false

    init(
        name: Name, comparison: Comparison, limit: Limit, statistic: Statistic? = nil, band: LipSyncBand? = nil
    ) {
        self.name = name
        self.comparison = comparison
        self.limit = limit
        self.statistic = statistic
        self.band = band
    }

    /// In the contract's order.
    public enum Name: String, Sendable, CaseIterable {
        /// What was of use, IP bit/s.
        case bitRate = "bitrate"
        /// From time zero to the first unit presented, or what the session's calls took.
        case sessionSetupDelay = "session_setup_delay"
        /// From capture to presentation, of any substream.
        case endToEndDelay = "end_to_end_delay"
        /// By the receiver's reports.
        case roundTripDelay = "round_trip_delay"
        /// Delay variation (RFC 5481, PDV).
        case jitter
        /// Datagrams that neither came nor were repaired, as a share of those sent.
        case loss
        /// Units on time, as a share of those sent.
        case presented
        /// The share of time within a standard's lip-sync limits.
        case lipSync = "lip_sync"
    }

    /// A number of a distribution, by its name in run.json.
    enum Statistic: String, Sendable, CaseIterable {
        case minimum = "min"
        case mean, p5, p50, p95, p99, p999
        case maximum = "max"
    }

    /// The right side, in the measured number's own unit.
    public enum Limit: Equatable, Sendable {
        /// Time, ns.
        case nanoseconds(Int64)
        /// A rate, bit/s.
        case bitsPerSecond(Int64)
        /// 0...1.
        case ratio(Double)

        /// The bare number, as run.json would hold it.
        var number: Double {
            switch self {
            case .nanoseconds(let count), .bitsPerSecond(let count): Double(count)
            case .ratio(let share): share
            }
        }

        /// As a scenario writes it: `500ms`, `4 Mbit/s`, `0.1%`.
        var text: String {
            switch self {
            case .nanoseconds(let count): Quantity.text(.nanoseconds(count))
            case .bitsPerSecond(let rate): Quantity.text(BitRate(bitsPerSecond: UInt64(max(0, rate))))
            case .ratio(let share): Quantity.text(Ratio(share))
            }
        }

        /// The number without a unit: `500000000`, `0.001`.
        var numberText: String {
            switch self {
            case .nanoseconds(let count), .bitsPerSecond(let count): "\(count)"
            case .ratio(let share): Quantity.text(share)
            }
        }
    }

    /// What is compared.
    enum Subject: Equatable, Sendable {
        /// A number of run.json; a path through a list holds for every element.
        case metric(String)
        /// A share that follows from numbers of run.json, by its name in the catalog of metrics: `loss`, `presented`.
        case share(String)
    }
}

/// A published tolerance for lip-sync error; positive: audio early.
enum LipSyncProfile: String, Sendable, CaseIterable {
    case ituBT1359 = "itu-bt1359"
    case ebuR37 = "ebu-r37"
    case atscIS191 = "atsc-is191"
    case steinmetz
}

/// One band of a profile, by run.json's name for the share of samples inside it (`lip_sync[].within`).
enum LipSyncBand: String, Sendable, CaseIterable {
    case ituDetectability = "itu_detectability"
    case ituAcceptability = "itu_acceptability"
    case ebuR37 = "ebu_r37"
    case atscIS191 = "atsc_is191"
    case steinmetz
    /// Of each receiver's own profile.
    case profile

    /// As a scenario names it: `itu-bt1359 detectability`, `ebu-r37`.
    var text: String {
        switch self {
        case .ituDetectability: "itu-bt1359 detectability"
        case .ituAcceptability: "itu-bt1359 acceptability"
        case .ebuR37: "ebu-r37"
        case .atscIS191: "atsc-is191"
        case .steinmetz: "steinmetz"
        case .profile: "profile"
        }
    }
}
