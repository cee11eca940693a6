import Timebase

extension QoSCheck {
    /// What this check compares with its limit.
    var subject: Subject {
        switch name {
        case .bitRate: .metric(countsSessions ? "flows.bitrate_bps.used_by_receiver" : "flows.bitrate_bps.used")
        case .sessionSetupDelay: .metric("flows.session_setup_ns")
        case .endToEndDelay: .metric("substreams.end_to_end_delay_ns." + (statistic ?? .p99).rawValue)
        // A few reports come in a minute: no percentile can be told from the largest.
        case .roundTripDelay: .metric("flows.round_trip_ns." + (statistic ?? .maximum).rawValue)
        case .jitter: .metric("flows.pdv_ns." + (statistic ?? .p99).rawValue)
        case .loss, .presented: .share(name.rawValue)
        // What did not play, on either side, was not within.
        case .lipSync: .metric("lip_sync.covered_within." + (band ?? .ituDetectability).rawValue)
        }
    }

    /// How many samples the check takes, if what is compared takes fewer by itself.
    public var leastCount: Int64 { name == .roundTripDelay && (statistic ?? .maximum) == .maximum ? 3 : 1 }

    /// The name of what is compared, as `qos.checks[].metric` has it.
    var metric: String {
        switch subject {
        case .metric(let name), .share(let name): name
        }
    }

    /// The check as `--check` would take it: `flows.pdv_ns.p99 <= 30ms`; for loss the scenario's own words.
    public var expression: String { "\(metric) \(comparison.rawValue) \(limit.text)" }

    /// As the scenario writes it: `<= 30ms`, `within itu-bt1359 detectability for 99%`.
    var text: String {
        let word = statistic.map { $0.rawValue + " " } ?? ""
        guard let band else { return word + "\(comparison.rawValue) \(limit.text)" }
        return "within \(band.text) for \(limit.text)"
    }

    /// Reads the value of one of the section's keys.
    static func parse(_ name: Name, _ text: String) throws(QuantityProblem) -> QoSCheck {
        if name == .lipSync { return try parseLipSync(text) }
        let (statistic, rest) = statistic(of: name, text)
        let trimmed = rest.drop { $0 == " " }
        let comparison = Comparison.allCases.first { trimmed.hasPrefix($0.rawValue) }
        guard let comparison, comparison != .notEqual else {
            let words = Statistic.allCases.map(\.rawValue).joined(separator: ", ")
            throw QuantityProblem(
                expected: "a comparison in quotes, such as \(name.example)",
                hint: name.isOnDistribution && trimmed.first?.isLetter == true ? "before it can stand: \(words)" : nil)
        }
        let right = String(trimmed.dropFirst(comparison.rawValue.count))
        switch name {
        case .bitRate:
            let rate = try Quantity.bitRate(right)
            let limit = Limit.bitsPerSecond(Int64(clamping: rate.bitsPerSecond))
            return QoSCheck(name: name, comparison: comparison, limit: limit)
        case .loss, .presented:
            return QoSCheck(name: name, comparison: comparison, limit: .ratio(try Quantity.ratio(right).value))
        default:
            let time = try Quantity.time(right)
            return QoSCheck(
                name: name, comparison: comparison, limit: .nanoseconds(time.nanoseconds), statistic: statistic)
        }
    }

    /// The word before the comparison, for the terms on a distribution: `max <= 500ms`.
    private static func statistic(of name: Name, _ text: String) -> (Statistic?, Substring) {
        let trimmed = text.drop { $0 == " " }
        let word = trimmed.prefix { $0.isLetter || $0.isNumber }
        guard [.endToEndDelay, .roundTripDelay, .jitter].contains(name),
            let statistic = Statistic(rawValue: String(word))
        else { return (nil, trimmed) }
        return (statistic, trimmed.dropFirst(word.count))
    }

    /// `within PROFILE BAND for P%`; only ITU-R BT.1359 has more than one band, and so names for them.
    private static func parseLipSync(_ text: String) throws(QuantityProblem) -> QoSCheck {
        var problem = QuantityProblem(
            expected: "'within PROFILE BAND for P%', such as 'within itu-bt1359 detectability for 99%'", hint: nil)
        let words = text.split(separator: " ").map(String.init)
        guard words.first == "within", let end = words.firstIndex(of: "for"), end == words.count - 2, end > 1 else {
            throw problem
        }
        let named = words[1..<end].joined(separator: " ")
        guard let band = LipSyncBand.allCases.first(where: { $0.text == named }) else {
            let names = LipSyncBand.allCases.map(\.text)
            problem.hint = "bands: " + names.joined(separator: ", ")
            throw problem
        }
        let share = try Quantity.ratio(words[end + 1])
        return QoSCheck(name: .lipSync, comparison: .greaterOrEqual, limit: .ratio(share.value), band: band)
    }
}
