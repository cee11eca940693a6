import Metrics
import Timebase

/// Telephone calls, by the E-model.
extension Catalog {
    static let calls = CatalogList<CallMeasurements>(
        "calls", "Each substream of a call codec as each receiver hears it, by the E-model (ITU-T G.107).",
        selectors: ["id", "receiver"], labels: [["id"], ["id", "receiver"]],
        [
            .text("id", "The substream's id.") { $0.id },
            .text("receiver", "The receiver's id.") { $0.receiver },
            .text("codec", "'g711' or 'opus'.") { $0.codec },
            .count("units", label: "packets", "Packets of sound sent: of so many are loss, R and MOS.") {
                $0.losses.count
            },
            loss,
            delay,
            score("r", label: "R", "R = 93.2 - Idd - Ie,eff (ITU-T G.107, all else at its defaults, no echo).") {
                $0.rating?.rating
            },
            score("mos", label: "MOS", "MOS of r (ITU-T G.107 annex B): an estimate, nobody has listened.") {
                $0.rating?.meanOpinionScore
            },
            part("idd", label: "Idd", "What delay as such costs: Idd of delay_ns.mouth_to_ear (ITU-T G.107 §7.4).") {
                $0.rating?.delayImpairment
            },
            part(
                "ie_eff", label: "Ie,eff",
                "What codec and losses cost: Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl), BurstR at least 1 (§7.5)."
            ) { $0.effectiveImpairment },
            .value("ie", MetricKind(unit: .plain), label: "Ie", "The codec's Ie (ITU-T G.113); null where unknown.") {
                JSONValue($0.impairment?.factor)
            },
            .value("bpl", MetricKind(unit: .plain), label: "Bpl", "The codec's Bpl (ITU-T G.113); null where unknown.")
            {
                JSONValue($0.impairment?.lossRobustness)
            },
            .group(
                "simplified", "The same with Cole and Rosenbluth's delay term, up to ten points lower.",
                [
                    score("r", label: "R simplified", "R = 93.2 - Id - Ie,eff.") { $0.simplifiedRating?.rating },
                    score("mos", label: "MOS simplified", "MOS of simplified.r.") {
                        $0.simplifiedRating?.meanOpinionScore
                    },
                    part("id", label: "Id", "0.024 d + 0.11 (d - 177.3) H(d - 177.3), d: mouth to ear in ms.") {
                        $0.simplifiedRating?.delayImpairment
                    },
                ]),
        ])

    private static let loss = CatalogMember<CallMeasurements>.group(
        "loss", "What did not come, or not in time.",
        [
            .count("units", worse: .up, "Packets that were not whole when they were due.") { $0.losses.lost },
            .ratio("ratio", worse: .up, label: "loss", "Their share: Ppl.") { $0.losses.loss }
                .needing(.of("units", least: 100)),
            .value(
                "burst_ratio", MetricKind(unit: .plain, worse: .up), label: "BurstR",
                "Mean run of losses over that of chance, 1 / (1 - Ppl); 1: by chance; null without a loss (§7.5)."
            ) { JSONValue($0.losses.value) }.needing(.of("units", least: 100)),
        ])

    private static let delay = CatalogMember<CallMeasurements>.group(
        "delay_ns", "The delay budget, means: packetizing + sending + network + buffer + rest = mouth_to_ear.",
        [
            .nanoseconds(
                "mouth_to_ear", worse: .up,
                "From the capture of a packet's first sample to its presentation; a codec's look-ahead is not counted."
            ) { $0.delay?.mouthToEar }.needing(.of("units", least: 1)),
            .nanoseconds("packetizing", "How long a packet fills before it can be sent.") { $0.delay?.packetizing },
            .nanoseconds(
                "sending", label: "sending latency",
                "From then to its sending; of a multiplex to its decoding time, for which it may wait at the receiver."
            ) { $0.delay?.sending },
            .nanoseconds("network", "On the way: one_way_delay_ns of the flow.") { $0.delay?.network },
            .nanoseconds(
                "buffer", label: "playout buffer",
                "From arrival to release: delay_ns of playout; a fixed delay counts from the first packet, not from the mean one."
            ) {
                $0.delay?.buffer
            },
            .nanoseconds(
                "rest", worse: .awayFromZero,
                "What is left: the parts are means over different packets; of a multiplex, a datagram's time."
            ) {
                $0.delay?.rest
            },
        ])

    private static func score(
        _ name: String, label: String, _ definition: String, _ value: @escaping @Sendable (CallMeasurements) -> Double?
    ) -> CatalogMember<CallMeasurements> {
        .value(name, MetricKind(unit: .plain, worse: .down), label: label, definition) { JSONValue(value($0)) }
            .needing(.of("units", least: 100))
    }

    private static func part(
        _ name: String, label: String, _ definition: String, _ value: @escaping @Sendable (CallMeasurements) -> Double?
    ) -> CatalogMember<CallMeasurements> {
        .value(name, MetricKind(unit: .plain, worse: .up), label: label, definition) { JSONValue(value($0)) }
            .needing(.of("units", least: 100))
    }
}
