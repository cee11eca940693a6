import Metrics
@testable import Results
import Sessions
import TestSupport
import Testing
import Timebase

/// The keys of run.json as the contract lists them, "[]" for lists; DIST stands for its ten.
private let contract: [String] = """
    schema
    tool.name
    tool.version
    run.id
    run.name
    run.mode
    run.status
    run.seed
    run.duration_ns
    run.ended_ns
    run.wall_ns
    run.speed_factor
    run.digest
    flows[].id
    flows[].receiver
    flows[].carriage
    flows[].packets.sent
    flows[].packets.duplicated
    flows[].packets.delivered
    flows[].packets.lost_link
    flows[].packets.lost_node
    flows[].packets.dropped_queue
    flows[].packets.dropped_checksum
    flows[].packets.late
    flows[].packets.duplicates
    flows[].packets.reordered
    flows[].packets.ecn_marked
    flows[].packets.repaired_fec
    flows[].packets.repaired_retransmission
    flows[].packets.unrepaired
    flows[].repair.sent
    flows[].repair.delivered
    flows[].bitrate_bps.sent
    flows[].bitrate_bps.delivered
    flows[].bitrate_bps.used
    flows[].bitrate_bps.used_by_receiver
    flows[].bitrate_bps.overhead_ratio
    flows[].one_way_delay_ns DIST
    flows[].one_way_delay_measured_ns DIST
    flows[].one_way_delay_error_ns DIST
    flows[].round_trip_ns DIST
    flows[].ipdv_ns DIST
    flows[].pdv_ns DIST
    flows[].interarrival_jitter_ns.mean
    flows[].interarrival_jitter_ns.max
    flows[].interarrival_jitter_ns.last
    flows[].loss_runs.1
    flows[].loss_runs_wire.1
    flows[].mdi.df_ns
    flows[].mdi.mlr_per_s
    flows[].session_setup_ns
    substreams[].id
    substreams[].kind
    substreams[].receiver
    substreams[].sent.units
    substreams[].sent.bytes
    substreams[].sent.bitrate_bps
    substreams[].presented.on_time
    substreams[].presented.late
    substreams[].presented.missing
    substreams[].presented.damaged
    substreams[].presented.concealed
    substreams[].decodable.intact
    substreams[].decodable.impaired
    substreams[].decodable.undecodable
    substreams[].impaired_ns.total
    substreams[].impaired_ns.longest
    substreams[].end_to_end_delay_ns DIST
    substreams[].freezes.count
    substreams[].freezes.total_ns
    substreams[].freezes.longest_ns
    calls[].id
    calls[].receiver
    calls[].codec
    calls[].units
    calls[].loss.units
    calls[].loss.ratio
    calls[].loss.burst_ratio
    calls[].delay_ns.mouth_to_ear
    calls[].delay_ns.packetizing
    calls[].delay_ns.sending
    calls[].delay_ns.network
    calls[].delay_ns.buffer
    calls[].delay_ns.rest
    calls[].r
    calls[].mos
    calls[].idd
    calls[].ie_eff
    calls[].ie
    calls[].bpl
    calls[].simplified.r
    calls[].simplified.mos
    calls[].simplified.id
    lip_sync[].receiver
    lip_sync[].audio
    lip_sync[].video
    lip_sync[].profile
    lip_sync[].skew_ns DIST
    lip_sync[].coverage
    lip_sync[].within.itu_detectability
    lip_sync[].within.itu_acceptability
    lip_sync[].within.ebu_r37
    lip_sync[].within.atsc_is191
    lip_sync[].within.steinmetz
    lip_sync[].within.profile
    lip_sync[].covered_within.itu_detectability
    lip_sync[].covered_within.itu_acceptability
    lip_sync[].covered_within.ebu_r37
    lip_sync[].covered_within.atsc_is191
    lip_sync[].covered_within.steinmetz
    lip_sync[].covered_within.profile
    lip_sync[].slope_ns_per_s
    lip_sync[].slope_stderr_ns_per_s
    playout[].receiver
    playout[].flow
    playout[].algorithm
    playout[].delay_ns DIST
    playout[].buffer_ns DIST
    playout[].underruns
    playout[].overflows
    playout[].commands
    playout[].paused_ns
    playout[].position_ns
    clocks[].node
    clocks[].algorithm
    clocks[].synchronized_ns
    clocks[].offset_error_ns DIST
    clocks[].frequency_ppb.true
    clocks[].frequency_ppb.estimated
    clocks[].bound_ns DIST
    clocks[].bound_violations
    clocks[].exchanges
    clocks[].exchanges_used
    links[].id
    links[].direction
    links[].rate_bps
    links[].utilization
    links[].packets.in
    links[].packets.out
    links[].drops.loss
    links[].drops.queue_full
    links[].drops.aqm
    links[].drops.down
    links[].drops.policed
    links[].duplicated
    links[].ecn_marked
    links[].queue_delay_ns DIST
    commands.order
    commands.sent
    commands.one_order
    commands.application_spread_ns DIST
    commands.position_spread_ns DIST
    commands.final_position_spread_ns
    idms.settings
    idms.position_spread_ns DIST
    idms.final_position_spread_ns
    agreement.commander
    agreement.value
    agreement.traitors
    agreement.messages
    agreement.agreed
    agreement.valid
    agreement.decisions[].node
    agreement.decisions[].value
    agreement.decisions[].loyal
    reservations[].flow
    reservations[].receiver
    reservations[].rate_bps
    reservations[].burst_bytes
    reservations[].admitted
    reservations[].refused.link
    reservations[].refused.reason
    reservations[].bound_ns
    reservations[].worst_delay_ns
    reservations[].burst_needed_bytes
    transport_stream[].point
    transport_stream[].bitrate_bps
    transport_stream[].tr101290.Continuity_count_error
    transport_stream[].pcr.interval_max_ns
    transport_stream[].pcr.accuracy_ns DIST
    quality[].receiver
    quality[].substream
    quality[].pictures
    quality[].shown
    quality[].compared
    quality[].ssim.mean
    quality[].ssim.min
    quality[].psnr_db.mean
    quality[].psnr_db.min
    quality[].below_098
    qos.passed
    qos.checks[].metric
    qos.checks[].op
    qos.checks[].limit
    qos.checks[].value
    qos.checks[].count
    qos.checks[].passed
    validity.valid
    validity.timer_lateness_ns DIST
    validity.missed_deadlines
    validity.warnings[]
    artifacts[].path
    artifacts[].bytes
    artifacts[].sha256
    """.split(separator: "\n").map(String.init)

private let distributionNames = ["count", "min", "mean", "stddev", "p5", "p50", "p95", "p99", "p999", "max"]

@Suite("run.json")
struct RunDocumentTests {
    /// Every leaf by its path; a null DIST is named as in the contract.
    private func keys(_ value: JSONValue, _ prefix: String = "") -> [String] {
        switch value {
        case .object(let object):
            if object.members.map(\.name) == distributionNames { return [prefix + " DIST"] }
            return object.members.flatMap { keys($0.value, prefix.isEmpty ? $0.name : prefix + "." + $0.name) }
        case .array(let elements):
            let below = elements.flatMap { keys($0, prefix + "[]") }
            return elements.isEmpty ? [prefix + "[]"] : below
        default: return [prefix]
        }
    }

    private func unique(_ keys: [String]) -> [String] {
        var seen: Set<String> = []
        return keys.filter { seen.insert($0).inserted }
    }

    /// With everything measured that this version cannot measure either.
    private func fullRecord() throws -> RunRecord {
        var record = Fixture.record()
        let distribution = Fixture.distribution(1)
        record.measurements.flows[0].roundTrip = distribution
        record.measurements.flows[0].lossRuns = [(length: 1, count: 3)]
        record.measurements.flows[0].quality.lossRuns = [(length: 1, count: 3)]
        record.measurements.playout[0].delay = distribution
        record.measurements.playout[0].buffer = distribution
        record.measurements.clocks[0].offsetError = distribution
        record.measurements.clocks[0].bound = distribution
        record.measurements.transportStreams[0].tr101290 = [("Continuity_count_error", 0)]
        record.measurements.transportStreams[0].pcrAccuracy = distribution
        var commands = CommandMeasurements(order: "total", isOneOrder: true)
        commands.applicationSpread = distribution
        commands.positionSpread = distribution
        record.measurements.commands = commands
        var destinations = DestinationMeasurements(settings: 3)
        destinations.positionSpread = distribution
        record.measurements.destinations = destinations
        var agreement = AgreementMeasurements(commander: "sender", value: 7, traitors: 1)
        agreement.decisions = [.init(node: "sender", value: 7, isLoyal: true)]
        record.measurements.agreement = agreement
        record.measurements.calls = [Fixture.call(receiver: "tv")]
        record.measurements.reservations = [.init()]
        record.quality = [PictureQuality(receiver: "tv", substream: "video")]
        record.measurements.warnings = [.program("a warning")]
        let check = try Check(parsing: "flows.packets.late == 0")
        record.checks = [try check.result(in: record.document)]
        record.artifacts = [Artifact(path: "sent.ts", bytes: 188, sha256: "00")]
        return record
    }

    @Test("It has exactly the contract's keys, in the contract's order")
    func contractKeys() throws {
        let expected = contract.map { $0 == "validity.timer_lateness_ns DIST" ? "validity.timer_lateness_ns" : $0 }
        #expect(unique(keys(try fullRecord().document)) == expected)
    }

    @Test("With nothing measured every key is still there, and null")
    func allNull() throws {
        var record = try fullRecord()
        record.measurements.flows[0] = .init()
        record.measurements.flows[0].lossRuns = [(length: 1, count: 3)]
        record.measurements.flows[0].quality.lossRuns = [(length: 1, count: 3)]
        record.measurements.substreams = [.init()]
        record.measurements.calls = [.init()]
        record.measurements.lipSync = [.init()]
        record.measurements.playout = [.init()]
        record.measurements.clocks = [.init()]
        record.measurements.links = [.init()]
        record.measurements.commands = nil
        record.measurements.destinations = nil
        record.measurements.transportStreams = [.init()]
        record.measurements.transportStreams[0].tr101290 = [("Continuity_count_error", nil)]
        let document = record.document
        let expected = contract.map { $0.hasSuffix(" DIST") ? String($0.dropLast(5)) : $0 }
        #expect(unique(keys(document)) == expected)
        #expect(document["flows"]?.elements?[0]["one_way_delay_ns"] == .null)
        #expect(document["substreams"]?.elements?[0]["freezes"]?["count"] == .null)
        #expect(document["calls"]?.elements?[0]["mos"] == .null)
        #expect(document["links"]?.elements?[0]["utilization"] == .null)
    }

    @Test("A distribution of no values is null, not zeros")
    func emptyDistribution() {
        var record = Fixture.record()
        record.measurements.flows[0].quality.pdv = Distribution(Histogram())
        #expect(record.document["flows"]?.elements?[0]["pdv_ns"] == .null)
    }

    @Test("Every key that is a number can be named in a check")
    func namedNumbers() throws {
        let sentences = "validity.warnings"
        for key in contract where !key.hasPrefix("qos") && !key.hasPrefix("artifacts") && !key.hasPrefix(sentences) {
            var path = key.split(separator: " ")[0].split(separator: "[]").joined()
            if key.hasSuffix(" DIST") { path += ".p95" }
            #expect(throws: Never.self, "\(path)") { try MetricPath(parsing: path).kind() }
        }
    }

    @Test("The id follows from the resolved scenario and the digest, and from nothing else")
    func identity() {
        let record = Fixture.record()
        var other = record
        other.wallNanoseconds *= 3
        other.status = .interrupted
        #expect(record.id == other.id)
        #expect(record.id.utf8.count == 8)
        other.identity.resolvedScenario += "# changed\n"
        #expect(record.id != other.id)
        other = record
        other.measurements.digest.add(1, 1, 1, 1, 1)
        #expect(record.id != other.id)
    }

    @Test("Speed is emulated over wall-clock time")
    func speed() {
        #expect(Fixture.record().document["run"]?["speed_factor"] == .number(3000))
    }

    @Test("What is written piece by piece is the document's text", arguments: [0, 1, 3])
    func written(receivers: Int) throws {
        let scratch = try ScratchDirectory()
        var record = Fixture.record(receivers: (0..<receivers).map { "tv.\($0)" })
        record.identity.name = "with \"quotes\" and\nlines"
        if receivers == 1 { record.checks = record.verdicts(on: [try Check(parsing: "loss <= 1%")]) }
        let file = try OutputFile(path: scratch.path + "/run.json")
        record.write(to: file)
        try file.close()
        #expect(try scratch.text("run.json") == record.document.text)
    }
}
