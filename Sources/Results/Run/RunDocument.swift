import Metrics
import Timebase

extension RunRecord {
    /// run.json, schema `rubato.run/1`: every key of the contract, null where nothing was measured.
    public var document: JSONValue {
        [
            "schema": .string(RunSchema.identifier),
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "run": [
                "id": .string(id),
                "name": .string(identity.name),
                "mode": .string(identity.mode),
                "status": .string(status.rawValue),
                // Beyond Int64 a number would lose digits in most readers.
                "seed": Int64(exactly: identity.seed).map { .integer($0) } ?? .string(identity.seed.description),
                "duration_ns": .integer(identity.duration.nanoseconds),
                "ended_ns": .integer(measurements.ended.nanoseconds),
                "wall_ns": .integer(wallNanoseconds),
                "speed_factor": JSONValue(speedFactor),
                "digest": .string(measurements.digest.hexadecimal),
            ],
            "flows": .array(measurements.flows.map(\.document)),
            "substreams": .array(measurements.substreams.map(\.document)),
            "lip_sync": .array(measurements.lipSync.map(\.document)),
            "playout": .array(measurements.playout.map(\.document)),
            "clocks": .array(measurements.clocks.map(\.document)),
            "links": .array(measurements.links.map(\.document)),
            "reservations": .array(measurements.reservations.map(\.document)),
            "transport_stream": .array(measurements.transportStreams.map(\.document)),
            "qos": ["passed": JSONValue(passed), "checks": .array(checks.map(\.document))],
            "validity": [
                "valid": true,
                "timer_lateness_ns": nil,
                "missed_deadlines": nil,
                "warnings": .array(measurements.warnings.map { .string($0) }),
            ],
            "artifacts": .array(artifacts.map(\.document)),
        ]
    }
}

extension Artifact {
    var document: JSONValue {
        ["path": .string(path), "bytes": .integer(bytes), "sha256": .string(sha256)]
    }
}

extension CheckResult {
    var document: JSONValue {
        [
            "metric": .string(check.metric.text),
            "op": .string(check.comparison.rawValue),
            "limit": check.limit,
            "value": value,
            "passed": .bool(passed),
        ]
    }
}

extension Distribution {
    static func document(_ distribution: Distribution?) -> JSONValue {
        guard let summary = distribution?.summary else { return nil }
        return [
            "count": .integer(summary.count),
            "min": .integer(summary.minimum),
            "mean": .integer(summary.mean),
            "stddev": .integer(summary.standardDeviation),
            "p5": .integer(summary.p5),
            "p50": .integer(summary.p50),
            "p95": .integer(summary.p95),
            "p99": .integer(summary.p99),
            "p999": .integer(summary.p999),
            "max": .integer(summary.maximum),
        ]
    }
}

extension FlowMeasurements {
    var document: JSONValue {
        [
            "id": .string(id),
            "receiver": .string(receiver),
            "carriage": .string(carriage),
            "packets": packets,
            "repair": ["sent": .integer(repairSent), "delivered": .integer(repairDelivered)],
            "bitrate_bps": [
                "sent": JSONValue(sentBitsPerSecond),
                "delivered": JSONValue(quality.bitsPerSecond),
                "overhead_ratio": JSONValue(overheadRatio),
            ],
            "one_way_delay_ns": Distribution.document(quality.oneWayDelay),
            "one_way_delay_measured_ns": Distribution.document(oneWayDelayMeasured),
            "one_way_delay_error_ns": Distribution.document(oneWayDelayError),
            "round_trip_ns": Distribution.document(roundTrip),
            "ipdv_ns": Distribution.document(quality.ipdv),
            "pdv_ns": Distribution.document(quality.pdv),
            "interarrival_jitter_ns": [
                "mean": JSONValue(quality.interarrivalJitter?.mean),
                "max": JSONValue(quality.interarrivalJitter?.maximum),
                "last": JSONValue(quality.interarrivalJitter?.last),
            ],
            "loss_runs": runs(lossRuns),
            "loss_runs_wire": runs(quality.lossRuns),
            "mdi": [
                "df_ns": JSONValue(quality.delayFactor?.maximum),
                "mlr_per_s": JSONValue(quality.mediaLossRatePerSecond),
            ],
            "session_setup_ns": JSONValue(sessionSetupNanoseconds),
        ]
    }

    private func runs(_ runs: [(length: Int64, count: Int64)]) -> JSONValue {
        .object(JSONObject(runs.map { JSONObject.Member($0.length.description, .integer($0.count)) }))
    }

    private var packets: JSONValue {
        [
            "sent": .integer(sent),
            "duplicated": .integer(duplicated),
            "delivered": .integer(delivered),
            "lost_link": .integer(lostLink),
            "dropped_queue": .integer(droppedQueue),
            "dropped_checksum": .integer(droppedChecksum),
            "late": .integer(late),
            "duplicates": .integer(duplicates),
            "reordered": .integer(quality.reordered ?? 0),
            "ecn_marked": .integer(marked),
            "repaired_fec": .integer(repairedFEC),
            "repaired_retransmission": .integer(repairedRetransmission),
            "unrepaired": .integer(unrepaired),
        ]
    }
}

extension SubstreamMeasurements {
    var document: JSONValue {
        [
            "id": .string(id),
            "kind": .string(kind),
            "receiver": .string(receiver),
            "sent": [
                "units": .integer(sentUnits),
                "bytes": .integer(sentBytes),
                "bitrate_bps": JSONValue(sentBitsPerSecond),
            ],
            "presented": [
                "on_time": .integer(onTime),
                "late": .integer(late),
                "missing": .integer(missing),
                "damaged": .integer(damaged),
                "concealed": JSONValue(concealed),
            ],
            "end_to_end_delay_ns": Distribution.document(endToEndDelay),
            "freezes": [
                "count": JSONValue(freezes?.count),
                "total_ns": JSONValue(freezes?.total.nanoseconds),
                "longest_ns": JSONValue(freezes?.longest.nanoseconds),
            ],
        ]
    }
}

extension LipSyncMeasurements {
    var document: JSONValue {
        [
            "receiver": .string(receiver),
            "audio": .string(audio),
            "video": .string(video),
            "skew_ns": Distribution.document(skew),
            "within": [
                "itu_detectability": JSONValue(withinITUDetectability),
                "itu_acceptability": JSONValue(withinITUAcceptability),
                "ebu_r37": JSONValue(withinEBUR37),
                "atsc_is191": JSONValue(withinATSCIS191),
            ],
            "slope_ns_per_s": JSONValue(slopeNanosecondsPerSecond),
        ]
    }
}

extension PlayoutMeasurements {
    var document: JSONValue {
        [
            "receiver": .string(receiver),
            "algorithm": .string(algorithm),
            "delay_ns": Distribution.document(delay),
            "buffer_ns": Distribution.document(buffer),
            "underruns": JSONValue(underruns),
            "overflows": JSONValue(overflows),
        ]
    }
}

extension ClockMeasurements {
    var document: JSONValue {
        [
            "node": .string(node),
            "algorithm": .string(algorithm),
            "offset_error_ns": Distribution.document(offsetError),
            "frequency_ppb": [
                "true": JSONValue(trueFrequencyPartsPerBillion),
                "estimated": JSONValue(estimatedFrequencyPartsPerBillion),
            ],
            "bound_ns": Distribution.document(bound),
            "bound_violations": JSONValue(boundViolations),
            "exchanges": JSONValue(exchanges),
        ]
    }
}

extension LinkMeasurements {
    var document: JSONValue {
        [
            "id": .string(id),
            "direction": .string(direction),
            "rate_bps": JSONValue(rateBitsPerSecond),
            "utilization": JSONValue(utilization),
            "packets": ["in": .integer(packetsIn), "out": .integer(packetsOut)],
            "drops": [
                "loss": .integer(lossDrops),
                "queue_full": .integer(queueFullDrops),
                "aqm": .integer(aqmDrops),
                "down": .integer(downDrops),
                "policed": .integer(policedDrops),
            ],
            "duplicated": .integer(duplicated),
            "ecn_marked": .integer(marked),
            "queue_delay_ns": Distribution.document(queueDelay),
        ]
    }
}

extension ReservationMeasurements {
    var document: JSONValue {
        [
            "flow": .string(flow),
            "receiver": receiver.isEmpty ? nil : .string(receiver),
            "rate_bps": .integer(bitsPerSecond),
            "burst_bytes": .integer(burst),
            "admitted": .bool(isAdmitted),
            "refused": [
                "link": refusedLink.map { .string($0) } ?? nil, "reason": refusedReason.map { .string($0) } ?? nil,
            ],
            "bound_ns": JSONValue(boundNanoseconds),
            "worst_delay_ns": JSONValue(worstDelayNanoseconds),
            "burst_needed_bytes": JSONValue(neededBurst),
        ]
    }
}

extension TransportStreamMeasurements {
    var document: JSONValue {
        [
            "point": .string(point),
            "bitrate_bps": JSONValue(bitsPerSecond),
            "tr101290": .object(JSONObject(tr101290.map { JSONObject.Member($0.name, JSONValue($0.count)) })),
            "pcr": [
                "interval_max_ns": JSONValue(pcrIntervalMaximum?.nanoseconds),
                "accuracy_ns": Distribution.document(pcrAccuracy),
            ],
        ]
    }
}
