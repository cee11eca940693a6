import Metrics
import Timebase

extension Catalog {
    static let transportStreams = CatalogList<TransportStreamMeasurements>(
        "transport_stream", "The transport stream as it passes the sender, and as each receiver's buffer releases it.",
        selectors: ["point"], labels: [["point"]],
        [
            .text("point", "'sender', or a receiver's id.") { $0.point },
            .whole("bitrate_bps", .bitsPerSecond, label: "bit rate", "Bits of all its packets a second.") {
                $0.bitsPerSecond
            },
            tr101290,
            .group(
                "pcr", "Program clock references (ISO/IEC 13818-1 section 2.4.3.5).",
                [
                    .nanoseconds(
                        "interval_max_ns", worse: .up, label: "PCR interval max",
                        "The longest time between the passing of two of a PID."
                    ) { $0.pcrIntervalMaximum?.nanoseconds },
                    .distribution(
                        "accuracy_ns", worse: .awayFromZero, label: "PCR accuracy",
                        "A reference less what its place in a stream of constant rate makes of it (PCR_AC)."
                    ) { $0.pcrAccuracy },
                ]),
        ])

    /// Of runs and captures.
    static let tr101290 = CatalogMember<TransportStreamMeasurements>.map(
        "tr101290", worse: .up, "Errors by the names of ETSI TR 101 290 v1.4.1 section 5.2.", known: tr101290Names
    ) { $0.tr101290 }

    /// The checks of first and second priority, each by its number there.
    private static let tr101290Names: [CatalogNode] = [
        ("TS_sync_loss", "1.1: two wrong sync bytes in a row or more, until five are right."),
        ("Sync_byte_error", "1.2: a sync byte other than 0x47."),
        ("PAT_error", "1.3: no PID 0 for over 0.5 s, or a table on it that is no PAT, or scrambled."),
        ("PAT_error_2", "1.3.a: no section of a PAT for over 0.5 s, or another table on PID 0, or scrambled."),
        ("Continuity_count_error", "1.4: a wrong order, a packet more than twice, or a lost packet."),
        ("PMT_error", "1.5: no PMT on a PID that the PAT names for over 0.5 s, or scrambled."),
        ("PMT_error_2", "1.5.a: no section of a PMT on such a PID for over 0.5 s, or scrambled."),
        ("PID_error", "1.6: an audio or video PID silent for over 5 s."),
        ("Transport_error", "2.1: the transport_error_indicator is set."),
        ("CRC_error", "2.2: a table whose CRC-32 is wrong."),
        ("PCR_error", "2.3: PCR_repetition_error or PCR_discontinuity_indicator_error."),
        ("PCR_repetition_error", "2.3.a: over 100 ms between two PCRs."),
        ("PCR_discontinuity_indicator_error", "2.3.b: PCRs over 100 ms apart, or backwards, without an indicator."),
        ("PCR_accuracy_error", "2.4: a PCR more than 500 ns off; null at a variable rate."),
        ("PTS_error", "2.5: over 700 ms between two presentation time stamps."),
        ("CAT_error", "2.6: scrambled packets without a CAT, or another table on PID 1."),
    ].map { CatalogNode($0.0, label: $0.0, $0.1, .value(MetricKind(unit: .count, worse: .up))) }
}
