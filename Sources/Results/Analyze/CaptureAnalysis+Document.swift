import Analysis
import Capture
import Metrics
import Timebase
import Wire

extension CaptureAnalysis {
    /// Schema `rubato.analysis/1`: every key of the contract, null where nothing was measured.
    ///
    /// - Parameter truths: what the emulator knows of streams, by their ids.
    package func document(_ truths: [String: StreamTruth] = [:]) -> JSONValue {
        [
            "schema": "rubato.analysis/1",
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "inputs": .array(inputs.map(\.document)),
            "streams": .array(streams.map { $0.document(truths[$0.id]) }),
            "pairs": .array(pairs.map(\.document)),
            "ntp": .array(ntp.map(\.document)),
            "one_way": .array(oneWay.map(\.document)),
            "legs": .array(legs.map(\.document)),
            "malformed_rtcp": .integer(malformedRTCP),
            "stun_datagrams": .integer(stunDatagrams),
            "notes": .array(notes.map { .string($0) }),
        ]
    }
}

extension CaptureInput {
    var document: JSONValue {
        [
            "path": .string(path),
            "format": .string(format),
            // One name as a rule; pcapng files may mix link types.
            "link_type": linkTypes.isEmpty ? nil : .string(linkTypes.map(\.name).joined(separator: ",")),
            "packets": .integer(packets),
            "bytes": .integer(bytes),
            "first_ns": JSONValue(first?.nanoseconds),
            "last_ns": JSONValue(last?.nanoseconds),
            "dropped": JSONValue(dropped),
            "skipped": .object(
                JSONObject(skipped.map { JSONObject.Member($0.reason.rawValue, .integer($0.count)) })),
            "encapsulations": .object(
                JSONObject(
                    encapsulations.map {
                        JSONObject.Member(
                            $0.kind.rawValue, ["opened": .integer($0.opened), "closed": .integer($0.closed)])
                    })),
        ]
    }
}

extension StreamMeasurements {
    func document(_ truth: StreamTruth?) -> JSONValue {
        [
            "id": .string(id),
            "kind": .string(kind.rawValue),
            "transport": file == nil ? "udp" : "file",
            "source": .string(file ?? source.description),
            "destination": file == nil ? .string(destination.description) : nil,
            "ssrc": JSONValue(ssrc.map { Int64($0) }),
            "payload_type": JSONValue(payloadType.map { Int64($0) }),
            "payload_types": payloadTypeList,
            "encoding": JSONValue(encoding),
            "clock_rate_hz": JSONValue(clockRate.map { Int64($0) }),
            "clock_rate_source": .string(clockSource.rawValue),
            "first_ns": .integer(quality.first.nanoseconds),
            "last_ns": .integer(quality.last.nanoseconds),
            "packets": packetCounts,
            "bytes": .integer(quality.bytes),
            "bitrate_bps": JSONValue(quality.bitsPerSecond),
            "interarrival_jitter_ns": Catalog.interarrivalJitter.value(of: quality),
            "interarrival_ns": DistributionMember.document(quality.interarrival),
            "ipdv_ns": Catalog.ipdv.value(of: quality),
            "pdv_ns": Catalog.pdv.value(of: quality),
            "loss_runs": .object(
                JSONObject(quality.lossRuns.map { JSONObject.Member($0.length.description, .integer($0.count)) })),
            "burst_gap": quality.burstGap?.document ?? nil,
            "mdi": [
                "df_ns": DistributionMember.document(quality.delayFactor),
                "mlr_per_s": Catalog.mediaLossRate.value(of: quality),
            ],
            "clock_drift_ppm": JSONValue(quality.clockDriftPartsPerMillion),
            "clock_drift_uncertainty_ppm": JSONValue(quality.clockDriftUncertainty),
            "transport_stream": transportStream?.document ?? nil,
            "rtcp": rtcp?.document ?? nil,
            "playout": playout?.document ?? nil,
            "truth": truth?.document ?? nil,
            "notes": .array(notes.map { .string($0) }),
        ]
    }

    private var payloadTypeList: JSONValue {
        .array(
            payloadTypes.map {
                [
                    "payload_type": .integer(Int64($0.number)), "encoding": JSONValue($0.encoding),
                    "clock_rate_hz": JSONValue($0.clockRate.map { Int64($0) }), "packets": .integer($0.packets),
                ]
            })
    }

    private var packetCounts: JSONValue {
        [
            "received": .integer(quality.received),
            "unique": JSONValue(quality.unique),
            "duplicates": JSONValue(quality.duplicates),
            "expected": JSONValue(quality.expected),
            "lost": JSONValue(quality.lost),
            "reordered": JSONValue(quality.reordered),
            "max_reorder_extent": JSONValue(quality.largestReorderExtent),
            "retransmitted": JSONValue(retransmitted),
        ]
    }
}

extension ReplayMeasurements {
    var document: JSONValue {
        [
            "algorithm": .string(algorithm),
            "played": .integer(played),
            "late": .integer(late),
            "duplicates": .integer(duplicates),
            "delay_ns": DistributionMember.document(delay),
            "buffer_ns": DistributionMember.document(buffer),
            "underruns": .integer(underruns),
            "overflows": .integer(overflows),
        ]
    }
}

extension OneWayMeasurements {
    var document: JSONValue {
        [
            "stream": JSONValue(stream),
            "source": .string(source.description),
            "destination": .string(destination.description),
            "ssrc": JSONValue(ssrc.map { Int64($0) }),
            "sent": .integer(sent),
            "matched": .integer(matched),
            "lost": .integer(lost),
            "lost_at_ends": .integer(lostAtEnds),
            "reordered": .integer(reordered),
            "duplicates": .integer(duplicates),
            "delay_ns": DistributionMember.document(delay),
            "clock_offset_ns": JSONValue(clockOffset?.nanoseconds),
            "clock_drift_ppm": JSONValue(clockDriftPartsPerMillion),
            "notes": .array(notes.map { .string($0) }),
        ]
    }
}

extension LegMeasurements {
    var document: JSONValue {
        [
            "ssrc": .integer(Int64(ssrc)),
            "legs": .array(
                legs.map {
                    [
                        "stream": .string($0.stream), "source": .string($0.source.description),
                        "destination": .string($0.destination.description), "unique": .integer($0.unique),
                        "lost": .integer($0.lost),
                    ]
                }),
            "expected": .integer(expected),
            "lost": .integer(lost),
            "loss_runs": .object(
                JSONObject(lossRuns.map { JSONObject.Member($0.length.description, .integer($0.count)) })),
            "skew_ns": DistributionMember.document(skew),
            "wait_ns": DistributionMember.document(wait),
            "holds": .array(
                holds.map {
                    [
                        "hold_ns": .integer($0.hold.nanoseconds), "saved": .integer($0.saved),
                        "late": .integer($0.late),
                        "lost": .integer($0.lost),
                    ]
                }),
            "notes": .array(notes.map { .string($0) }),
        ]
    }
}

extension BurstGapMeasurements {
    var document: JSONValue {
        [
            "gmin": .integer(BurstGap.gmin),
            "bursts": .integer(bursts),
            "burst_density": .number(burstDensity),
            "gap_density": .number(gapDensity),
            "burst_duration_ns": JSONValue(burstDuration?.nanoseconds),
            "gap_duration_ns": JSONValue(gapDuration?.nanoseconds),
        ]
    }
}

extension CapturedTransportStream {
    var document: JSONValue {
        [
            "packets": .integer(packets),
            "packet_bytes": .integer(Int64(packetLength)),
            "bitrate_bps": JSONValue(measurements.bitsPerSecond),
            "pcr_bitrate_bps": JSONValue(pcrBitsPerSecond),
            "tr101290": Catalog.tr101290.value(of: measurements),
            "pcr": ["interval_max_ns": JSONValue(measurements.pcrIntervalMaximum?.nanoseconds)],
            "pids": .array(
                pids.map { ["pid": .integer(Int64($0.pid)), "packets": .integer($0.packets)] as JSONValue }),
        ]
    }
}

extension RTCPMeasurements {
    var document: JSONValue {
        [
            "sender_reports": .integer(senderReports),
            "reception_reports": .integer(receptionReports),
            "cname": JSONValue(cname),
            "round_trip_ns": DistributionMember.document(roundTrip),
            "captured_at": JSONValue(place?.rawValue),
            "reported": [
                "fraction_lost": JSONValue(lastFractionLost),
                "cumulative_lost": JSONValue(lastCumulativeLost),
                "jitter_ns": JSONValue(lastReportedJitter?.nanoseconds),
            ],
            "sender": [
                "packets": JSONValue(sentPackets.map { Int64($0) }),
                "bytes": JSONValue(sentBytes.map { Int64($0) }),
                "ntp_ns": JSONValue(mappedNTP?.nanoseconds),
                "rtp_timestamp": JSONValue(mappedTimestamp.map { Int64($0) }),
                "clock_rate_hz": JSONValue(reportedClockRate),
                "max_residual_ns": JSONValue(largestResidual?.nanoseconds),
            ],
            "goodbye": .bool(hasGoodbye),
        ]
    }
}

extension PairMeasurements {
    var document: JSONValue {
        [
            "audio": .string(audio),
            "video": .string(video),
            "skew_ns": DistributionMember.document(skew),
            "floor_ns": JSONValue(floor?.nanoseconds),
            "method": .string(method),
        ]
    }
}

extension NTPMeasurements {
    var document: JSONValue {
        [
            "client": .string(client.description),
            "server": .string(server.description),
            "version": .integer(Int64(version)),
            "exchanges": .integer(exchanges),
            "offset_ns": DistributionMember.document(offset),
            "client_offset_ns": DistributionMember.document(clientOffset),
            "delay_ns": DistributionMember.document(delay),
            "bound_ns": DistributionMember.document(bound),
            "rejected": .object(JSONObject(rejected.map { JSONObject.Member($0.reason, .integer($0.count)) })),
        ]
    }
}
