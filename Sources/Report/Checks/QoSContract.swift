/// The terms of a scenario's `qos:` section as checks on run.json.
public enum QoSContract {
    /// Names of the terms, in the order of the contract.
    public static let terms = [
        "bitrate", "session_setup_delay", "end_to_end_delay", "round_trip_delay", "jitter", "loss", "lip_sync",
    ]

    /// The metric that a term is about; nil for `lip_sync`, whose requirement names it.
    private static func metric(of term: String) -> String? {
        switch term {
        case "bitrate": "flows.bitrate_bps.delivered"
        case "session_setup_delay": "flows.session_setup_ns"
        case "end_to_end_delay": "substreams.end_to_end_delay_ns.p99"
        case "round_trip_delay": "flows.round_trip_ns.p99"
        case "jitter": "flows.pdv_ns.p99"
        case "loss": "flows.packets.unrepaired / flows.packets.sent"
        default: nil
        }
    }

    /// Limits of lip-sync skew by the words that name them in a scenario.
    private static let lipSyncLimits = [
        "itu-bt1359 detectability": "itu_detectability",
        "itu-bt1359 acceptability": "itu_acceptability",
        "ebu-r37": "ebu_r37",
        "atsc-is191": "atsc_is191",
    ]

    /// A term and its requirement: `jitter` and "<= 30ms", `lip_sync` and "within itu-bt1359 detectability for 99%".
    ///
    /// - Throws: ``UserFacingError`` (usage).
    public static func check(term: String, requirement: String) throws(UserFacingError) -> Check {
        if term == "lip_sync" { return try lipSync(requirement) }
        guard let metric = metric(of: term) else {
            throw .usage(
                "unknown term '\(term)' in the QoS contract",
                remedy: Suggestions.question(Suggestions.nearest(to: term, among: terms))
                    ?? "known: \(terms.joined(separator: ", "))")
        }
        var check = try Check(parsing: "\(metric) \(requirement)")
        check.title = term
        return check
    }

    private static func lipSync(_ requirement: String) throws(UserFacingError) -> Check {
        let remedy = "write: within itu-bt1359 detectability for 99%; limits are "
            + lipSyncLimits.keys.sorted().joined(separator: ", ")
        let words = requirement.split(separator: " ")
        guard words.first == "within", let share = words.firstIndex(of: "for"), share == words.count - 2,
            let key = lipSyncLimits[words[1..<share].joined(separator: " ")], let last = words.last
        else { throw .usage("lip_sync: '\(requirement)' is not understood", remedy: remedy) }
        var check = try Check(parsing: "lip_sync.within.\(key) >= \(last)")
        check.title = "lip_sync"
        return check
    }
}
