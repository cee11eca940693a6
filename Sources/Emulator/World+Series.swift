import ClockSync
import Media
import Metrics
import NetworkEmulation
import Receiver
import Sender
import Timebase

/// One value of the series at one instant.
public struct SeriesValue: Sendable {
    public var entity: String
    public var metric: String
    /// Nil: nothing to measure yet.
    public var value: Int64?
    public var unit: String
}

extension World {
    /// What series.csv records of this instant, in a fixed order. Counts run from the start.
    public func seriesValues() -> [SeriesValue] {
        var values: [SeriesValue] = []
        func add(_ entity: String, _ metric: String, _ value: Int64?, _ unit: String) {
            values.append(SeriesValue(entity: entity, metric: metric, value: value, unit: unit))
        }
        add("sender", "sent", sender.program.packetsSent, "packets")
        add("sender", "sent_bytes", sender.rate.bytes, "bytes")
        for index in topology.links.indices where topology.rates[index] != nil {
            add(topology.ids[index], "queue", Int64(topology.links[index].waitingBytes), "bytes")
        }
        for index in topology.links.indices {
            add(topology.ids[index], "drops", topology.links[index].counters.all.dropped, "packets")
        }
        for index in receivers.indices {
            let id = configuration.receivers[index].id
            let ledger = receivers[index].ledger
            let local = receivers[index].clock.reading(at: now)
            add(id, "delivered", ledger.delivered, "packets")
            add(id, "delivered_bytes", ledger.rate.bytes, "bytes")
            add(id, "late", ledger.late, "packets")
            add(id, "one_way_delay", ledger.latestDelay?.nanoseconds, "ns")
            add(id, "interarrival_jitter", ledger.jitter?.last.map { Int64($0.rounded()) }, "ns")
            add(id, "buffer", receivers[index].media.bufferDepth(at: local).nanoseconds, "ns")
            for pair in ledger.pairs {
                let audio = configuration.program.substreams[pair.audio].id
                add("\(id)/\(audio)", "lip_sync_skew", pair.sampler.latest?.nanoseconds, "ns")
            }
        }
        return values
    }
}
