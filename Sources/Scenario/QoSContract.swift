import Timebase

/// The `qos:` section: what a run has to keep, as checks over its measurements.
public struct QoSContract: Equatable, Sendable {
    /// In the contract's order of names.
    public var checks: [QoSCheck]

    public init(checks: [QoSCheck] = []) { self.checks = checks }
}

/// One promise of a QoS contract.
public struct QoSCheck: Equatable, Sendable {
    /// The scenario's name for it.
    public var name: Name
    public var comparison: Comparison
    public var limit: Limit
    /// Which of the lip-sync bands is meant; for ``Name/lipSync`` alone.
    public var band: LipSyncBand?

    public init(name: Name, comparison: Comparison, limit: Limit, band: LipSyncBand? = nil) {
        self.name = name
        self.comparison = comparison
        self.limit = limit
        self.band = band
    }

    /// In the contract's order.
    public enum Name: String, Sendable, CaseIterable {
        case bitRate = "bitrate"
        case sessionSetupDelay = "session_setup_delay"
        case endToEndDelay = "end_to_end_delay"
        case roundTripDelay = "round_trip_delay"
        case jitter
        case loss
        case lipSync = "lip_sync"
    }

    public enum Comparison: String, Sendable, CaseIterable {
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case less = "<"
        case greater = ">"
        case equal = "=="
    }

    /// The right side, in the measured number's own unit.
    public enum Limit: Equatable, Sendable {
        case nanoseconds(Int64)
        case bitsPerSecond(Int64)
        /// 0...1.
        case ratio(Double)

        /// The bare number, as run.json would hold it.
        public var number: Double {
            switch self {
            case .nanoseconds(let count), .bitsPerSecond(let count): Double(count)
            case .ratio(let share): share
            }
        }

        /// As a scenario writes it: `500ms`, `4 Mbit/s`, `0.1%`.
        public var text: String {
            switch self {
            case .nanoseconds(let count): Quantity.text(.nanoseconds(count))
            case .bitsPerSecond(let rate): Quantity.text(BitRate(bitsPerSecond: UInt64(max(0, rate))))
            case .ratio(let share): Quantity.text(Ratio(share))
            }
        }

        /// The number without a unit: `500000000`, `0.001`.
        public var numberText: String {
            switch self {
            case .nanoseconds(let count), .bitsPerSecond(let count): "\(count)"
            case .ratio(let share): Quantity.text(share)
            }
        }
    }

    /// What is compared.
    public enum Subject: Equatable, Sendable {
        /// A number of run.json; a path through a list holds for every element.
        case metric(String)
        /// (unrepaired + late) / sent of every flow, from its `packets`.
        case lossAfterRepair
    }
}

/// A published tolerance for lip-sync error; positive: audio early.
public enum LipSyncProfile: String, Sendable, CaseIterable {
    case ituBT1359 = "itu-bt1359"
    case ebuR37 = "ebu-r37"
    case atscIS191 = "atsc-is191"

    /// The bands that it names.
    public var bands: [LipSyncBand] {
        switch self {
        case .ituBT1359: [.ituDetectability, .ituAcceptability]
        case .ebuR37: [.ebuR37]
        case .atscIS191: [.atscIS191]
        }
    }
}

/// One band of a profile, by run.json's name for the share of samples inside it (`lip_sync[].within`).
public enum LipSyncBand: String, Sendable, CaseIterable {
    case ituDetectability = "itu_detectability"
    case ituAcceptability = "itu_acceptability"
    case ebuR37 = "ebu_r37"
    case atscIS191 = "atsc_is191"

    /// As a scenario names it: `itu-bt1359 detectability`, `ebu-r37`.
    public var text: String {
        switch self {
        case .ituDetectability: "itu-bt1359 detectability"
        case .ituAcceptability: "itu-bt1359 acceptability"
        case .ebuR37: "ebu-r37"
        case .atscIS191: "atsc-is191"
        }
    }
}
