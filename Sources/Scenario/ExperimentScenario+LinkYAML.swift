import Timebase

extension ExperimentScenario.Link {
    /// The link as the lines of a map in a scenario, every default written out.
    var lines: [String] {
        let keys =
            ["rate", "overhead", "policer", "queue", "delay", "jitter", "loss", "reorder", "duplicate", "corrupt"]
            + ["reservable", "cross_traffic", "schedule"]
        return keys.map { "\(key(capacityKey, for: $0)): \(text(of: $0))" }
    }

    private func key(_ capacity: String, for key: String) -> String { key == "rate" ? capacity : key }

    private var capacityKey: String {
        switch capacity {
        case .unlimited, .constant: "rate"
        case .trace: "rate_trace"
        case .shaper: "shaper"
        }
    }

    /// What stands behind a key.
    fileprivate func text(of key: String) -> String {
        switch key {
        case "rate", "shaper": capacity.text
        case "overhead": overhead.rawValue
        case "policer": policer?.text ?? "none"
        case "queue": capacity == .unlimited ? "none" : queue.text
        case "delay": Quantity.text(delay)
        case "jitter": jitter?.text ?? "none"
        case "loss": loss.map { "{ \($0.text) }" } ?? "none"
        case "reorder": Quantity.text(reorder)
        case "duplicate": Quantity.text(duplicate)
        case "corrupt": Quantity.text(corrupt)
        case "reservable": Quantity.text(reservable)
        case "cross_traffic": sequence(crossTraffic.map(\.text))
        case "schedule": sequence(schedule.map(\.text))
        default: preconditionFailure("a link has no key \(key)")
        }
    }
}

/// `[ { ... }, { ... } ]`.
private func sequence(_ elements: [String]) -> String {
    elements.isEmpty ? "[]" : "[ " + elements.joined(separator: ", ") + " ]"
}

/// `{ key: value, ... }` of those that have a value.
private func map(_ entries: (String, String?)...) -> String {
    "{ " + entries.compactMap { key, value in value.map { "\(key): \($0)" } }.joined(separator: ", ") + " }"
}

extension ExperimentScenario.TokenBucket {
    var text: String { map(("rate", Quantity.text(rate)), ("burst", Quantity.text(bytes: Int64(burst)))) }
}

extension ExperimentScenario.Link.Capacity {
    fileprivate var text: String {
        switch self {
        case .unlimited: return "none"
        case .constant(let rate): return Quantity.text(rate)
        case .shaper(let bucket): return bucket.text
        case .trace(let file):
            let path = quoted(file.path)
            switch file.format {
            case .mahimahi(let reading): return map(("mahimahi", path), ("reading", reading.rawValue))
            case .csv(let period): return map(("csv", path), ("repeat", period.map { Quantity.text($0) } ?? "none"))
            case .hsdpa: return map(("hsdpa", path))
            }
        }
    }
}

extension ExperimentScenario.Link.Queue {
    fileprivate var text: String {
        let limit: String =
            switch limit {
            case .packets(let count): "\(count) packets"
            case .bytes(let count): Quantity.text(bytes: Int64(count))
            case .time(let span): Quantity.text(span)
            }
        switch discipline {
        case .dropTail: return map(("drop_tail", map(("limit", limit))))
        case .dropHead: return map(("drop_head", map(("limit", limit))))
        case .codel(let codel):
            return map(
                (
                    "codel",
                    map(
                        ("target", Quantity.text(codel.target)), ("interval", Quantity.text(codel.interval)),
                        ("ecn", "\(codel.ecn)"), ("limit", limit))
                ))
        case .pie(let target, let update, let ecn):
            return map(
                (
                    "pie",
                    map(
                        ("target", Quantity.text(target)), ("update", Quantity.text(update)), ("ecn", "\(ecn)"),
                        ("limit", limit))
                ))
        case .fqCodel(let codel, let flows, let quantum):
            return map(
                (
                    "fq_codel",
                    map(
                        ("target", Quantity.text(codel.target)), ("interval", Quantity.text(codel.interval)),
                        ("ecn", "\(codel.ecn)"), ("flows", "\(flows)"),
                        ("quantum", Quantity.text(bytes: Int64(quantum))), ("limit", limit))
                ))
        case .priority(let classes):
            return map(
                ("priority", map(("classes", "[\(classes.map(\.name).joined(separator: ", "))]"), ("limit", limit))))
        case .weightedFair(let classes):
            let entries = classes.map { "\($0.serviceClass.name): { rate: \(Quantity.text($0.rate)) }" }
            let text = entries.isEmpty ? "{}" : "{ \(entries.joined(separator: ", ")) }"
            return map(("wfq", map(("classes", text), ("limit", limit))))
        }
    }
}

extension ExperimentScenario.Link.Jitter {
    fileprivate var text: String {
        let name: String
        var entries: [(String, String)]
        switch law {
        case .normal(let deviation): (name, entries) = ("normal", [("deviation", Quantity.text(deviation))])
        case .uniform(let range): (name, entries) = ("uniform", [("half_range", Quantity.text(range))])
        case .paretoNormal(let deviation): (name, entries) = ("paretonormal", [("deviation", Quantity.text(deviation))])
        case .exponential(let mean): (name, entries) = ("exponential", [("mean", Quantity.text(mean))])
        case .gamma(let mean, let shape):
            (name, entries) = ("gamma", [("mean", Quantity.text(mean)), ("shape", Quantity.text(shape))])
        case .pareto(let mean, let shape):
            (name, entries) = ("pareto", [("mean", Quantity.text(mean)), ("shape", Quantity.text(shape))])
        case .table(let path, let deviation):
            (name, entries) = ("table", [("file", quoted(path)), ("deviation", Quantity.text(deviation))])
        case .empirical(let path): (name, entries) = ("empirical", [("file", quoted(path))])
        case .trace(let path): (name, entries) = ("trace", [("file", quoted(path))])
        }
        entries += [("correlation", Quantity.text(correlation)), ("reorder", "\(reorder)")]
        return "{ \(name): { " + entries.map { "\($0): \($1)" }.joined(separator: ", ") + " } }"
    }
}

extension ExperimentScenario.Link.Loss {
    fileprivate var text: String {
        switch self {
        case .bernoulli(let ratio): return "bernoulli: \(Quantity.text(ratio))"
        case .gilbertElliott(let chain): return "gilbert_elliott: \(chain.text)"
        case .markov4(let chain): return "markov4: \(chain.text)"
        case .pattern(let drop, let period):
            let numbers = "[\(drop.map(\.description).joined(separator: ", "))]"
            return "pattern: " + map(("drop", numbers), ("repeat", period?.description))
        case .trace(let path): return "trace: \(quoted(path))"
        case .bitErrors(let rate): return "bit_error_rate: \(rate)"
        }
    }
}

extension ExperimentScenario.Link.Loss.GilbertElliott {
    fileprivate var text: String {
        let time: [(String, String?)] = [
            ("time_driven", step.map { _ in "true" }), ("step", step.map { Quantity.text($0) }),
        ]
        switch law {
        case .bursts(let loss, let burst, let longest):
            return map(
                ("loss", Quantity.text(loss)), ("mean_burst", Quantity.text(burst)),
                ("longest_burst", longest?.description), time[0], time[1])
        case .transitions(let p, let r, let bad, let good):
            return map(
                ("p", Quantity.text(p)), ("r", Quantity.text(r)), ("loss_bad", Quantity.text(bad)),
                ("loss_good", Quantity.text(good)), time[0], time[1])
        }
    }
}

extension ExperimentScenario.Link.Loss.Markov4 {
    fileprivate var text: String {
        switch self {
        case .transitions(let p13, let p31, let p32, let p23, let p14):
            map(
                ("p13", Quantity.text(p13)), ("p31", Quantity.text(p31)), ("p32", Quantity.text(p32)),
                ("p23", Quantity.text(p23)), ("p14", Quantity.text(p14)))
        case .bursts(let loss, let burst, let density, let isolated, let good):
            map(
                ("loss", Quantity.text(loss)), ("mean_burst", Quantity.text(burst)),
                ("burst_density", Quantity.text(density)), ("isolated_loss", Quantity.text(isolated)),
                ("mean_good_run", Quantity.text(good)))
        }
    }
}

extension ExperimentScenario.Link.CrossTraffic {
    fileprivate var text: String {
        let pattern: (String, String?)
        switch self.pattern {
        case .poisson(let rate, let packet): pattern = ("poisson", Self.flow(rate, packet))
        case .constant(let rate, let packet): pattern = ("constant", Self.flow(rate, packet))
        case .onOff(let flow):
            pattern = (
                "on_off",
                map(
                    ("rate", Quantity.text(flow.rate)), ("packet", Quantity.text(bytes: Int64(flow.packet))),
                    ("on", Quantity.text(flow.on)), ("off", Quantity.text(flow.off)),
                    ("law", flow.shape == nil ? "exponential" : "pareto"),
                    ("shape", flow.shape.map { Quantity.text($0) }))
            )
        case .trace(let path, let repeats): pattern = ("trace", map(("file", quoted(path)), ("repeat", "\(repeats)")))
        }
        return map(pattern, ("class", serviceClass.name), ("reservation", reservation?.text ?? "none"))
    }

    private static func flow(_ rate: BitRate, _ packet: Int) -> String {
        map(("rate", Quantity.text(rate)), ("packet", Quantity.text(bytes: Int64(packet))))
    }
}

extension ExperimentScenario.Link.Step {
    fileprivate var text: String {
        var entries = ["at: \(Quantity.text(at))"]
        if let down { entries.append("down: \(Quantity.text(down))") }
        entries += keys.map { "\($0): \(link.text(of: $0))" }
        return "{ " + entries.joined(separator: ", ") + " }"
    }
}
