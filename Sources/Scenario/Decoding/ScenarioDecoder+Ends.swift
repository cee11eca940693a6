import Protection
import Timebase

/// The two ends: sender and receivers.
extension ScenarioDecoder {
    func sender(_ reader: ScenarioReader) -> ExperimentScenario.Sender {
        var muxRate = ExperimentScenario.Sender.MuxRate.automatic
        switch reader["mux_rate"].text {
        case "auto", nil: break
        case "vbr": muxRate = .variable
        default: if let rate = reader["mux_rate"].bitRate(Self.rates) { muxRate = .constant(rate) }
        }
        let latency = reader["latency"]
        let (program, reports) = classes(reader["classes"])
        return ExperimentScenario.Sender(
            carriage: reader["carriage"].word() ?? .tsRTP, muxRate: muxRate,
            transportPacketsPerDatagram: reader["ts_packets_per_datagram"].integer(1...7) ?? 7,
            pacing: reader["pacing"].word() ?? .constant,
            latency: latency.text == "auto" ? nil : latency.time(.zero...Self.longestDelay), programClass: program,
            reportClass: reports, ecn: reader["ecn"].truth() ?? false, reservation: tokenBucket(reader["reservation"]),
            interleave: interleave(reader["interleave"], reader["carriage"]))
    }

    /// The class of the program's datagrams, and of reports: one name for the program, or a map of `program`, `reports`,
    /// and kinds or ids of substreams, which in a multiplex have one class all.
    private func classes(_ reader: ScenarioReader) -> (program: ServiceClass, reports: ServiceClass) {
        guard let entries = reader.entries else { return (serviceClass(reader) ?? .bestEffort, .bestEffort) }
        var program: (key: String, parsed: ServiceClass)?
        var reports = ServiceClass.bestEffort
        for (key, entry) in entries {
            guard let parsed = serviceClass(entry) else { continue }
            guard key != "reports" else {
                reports = parsed
                continue
            }
            if let program, program.parsed != parsed {
                entry.report(
                    "'\(program.key)' has the class \(program.parsed.name), and one multiplex has one class",
                    hint: "give all of them the same")
            }
            program = program ?? (key, parsed)
        }
        return (program?.parsed ?? .bestEffort, reports)
    }

    private func interleave(
        _ reader: ScenarioReader, _ carriage: ScenarioReader
    ) -> ExperimentScenario.Interleave? {
        guard case .map = reader.node?.content else { return nil }
        let sizes = InterleavingBlock.sizes
        let sides = ["rows", "columns"].map { key in
            reader[key].reportMissing(expected: "a whole number of datagrams, such as \(key): 5")
            return reader[key].integer(sizes, hint: "with one row or column nothing is interleaved: interleave: none")
        }
        if carriage.text == ExperimentScenario.Sender.Carriage.tsUDP.rawValue {
            reader.report(
                "without RTP the receiver cannot restore the order of the datagrams", expected: "carriage: ts-rtp",
                hint: "write carriage: ts-rtp, or leave interleave out")
        }
        guard let rows = sides[0], let columns = sides[1] else { return nil }
        return ExperimentScenario.Interleave(rows: rows, columns: columns)
    }

    func receivers(
        _ reader: ScenarioReader, _ clock: ExperimentScenario.Clock
    ) -> [ExperimentScenario.Receiver] {
        guard let elements = reader.elements else {
            return [
                ExperimentScenario.Receiver(
                    id: "receiver", playout: .fixed(Self.usualPlayout), anchor: .firstArrival, late: .drop,
                    clockRecovery: .none, lipSync: .init(correction: .none, profile: .ituBT1359),
                    deliversCorrupted: false, count: 1, lastLinks: [], clock: clock)
            ]
        }
        if elements.isEmpty { reader.report("there is no receiver", expected: "at least one") }
        var ids: Set<String> = []
        var total = 0
        return elements.map { element in
            let receiver = receiver(element, clock, isOnly: elements.count == 1)
            if !receiver.id.isEmpty, !ids.insert(receiver.id).inserted {
                element["id"].report("id '\(receiver.id)' is given twice")
            }
            if receiver.id == "sender" {
                element["id"].reportInvalid(expected: "another name than the sender's")
            }
            total += receiver.count
            if total > Self.mostReceivers, total - receiver.count <= Self.mostReceivers {
                element["count"].report("\(total) receivers", expected: "at most \(Self.mostReceivers) altogether")
            }
            return receiver
        }
    }

    private func receiver(
        _ reader: ScenarioReader, _ clock: ExperimentScenario.Clock, isOnly: Bool
    ) -> ExperimentScenario.Receiver {
        if !isOnly { reader["id"].reportMissing(expected: "a name, such as id: tv") }
        let lipSync = reader["lip_sync"]
        return ExperimentScenario.Receiver(
            id: reader["id"].identifier() ?? (isOnly ? "receiver" : ""),
            playout: .fixed(reader["playout"]["fixed"].time(.zero...Self.longestDelay) ?? Self.usualPlayout),
            anchor: reader["anchor"].word() ?? .firstArrival, late: reader["late"].word() ?? .drop,
            clockRecovery: reader["clock_recovery"].word() ?? .none,
            lipSync: ExperimentScenario.LipSync(
                correction: lipSync["correction"].word() ?? .none, profile: lipSync["profile"].word() ?? .ituBT1359),
            deliversCorrupted: reader["deliver_corrupted"].truth() ?? false,
            count: reader["count"].integer(1...Self.mostReceivers) ?? 1,
            lastLinks: links(reader["last_links"], mayBeEmpty: true) ?? [],
            clock: self.clock(reader["clock"]) ?? clock)
    }
}
