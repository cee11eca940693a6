import BasicContainers
import ClockSync
import Media
import Metrics
import NetworkEmulation
import Receiver
import Timebase

/// One value of the series at one instant.
public struct SeriesValue: Sendable {
    /// What it is a value of: "sender", a receiver's or a link's id.
    public var entity: String
    /// What was counted or measured, as series.csv names it.
    public var metric: String
    /// Nil: nothing to measure yet.
    public var value: Int64?
    /// The unit of ``value``: "packets", "bytes", "ns".
    public var unit: String
}

extension World {
    /// What series.csv records of this instant, in a fixed order. Counts run from the start.
    public func seriesValues() -> [SeriesValue] {
        var values: [SeriesValue] = []
        values.reserveCapacity(2 + 2 * topology.links.count + 2 * clocks.count + 16 * receivers.count)
        func add(_ entity: String, _ metric: String, _ value: Int64?, _ unit: String) {
            values.append(SeriesValue(entity: entity, metric: metric, value: value, unit: unit))
        }
        add("sender", "sent", ledger.sender.packets, "packets")
        add("sender", "sent_bytes", ledger.sender.rate.bytes, "bytes")
        for index in 0..<topology.links.count where topology.rates[index] != nil {
            add(topology.ids[index], "queue", Int64(topology.links[index].waitingBytes), "bytes")
        }
        for index in 0..<topology.links.count {
            add(topology.ids[index], "drops", topology.links[index].counters.all.dropped, "packets")
        }
        for (node, id) in configuration.nodeIDs.enumerated() where configuration.synchronization[id] != nil {
            add(id, "clock_error", clockError(ofNode: node, at: now).nanoseconds, "ns")
            add(id, "clock_bound", claimedBound(ofNode: node, at: now)?.nanoseconds, "ns")
        }
        for index in 0..<receivers.count {
            let id = configuration.receivers[index].id
            let local = mediaTime(ofNode: 1 + index, at: now)
            for session in 0..<ledger.rowCount {
                let seen = ledger.receivers[index * ledger.rowCount + session]
                let id = configuration.sessions == nil ? id : configuration.flowID(session: session, receiver: index)
                let depth =
                    configuration.sessions == nil
                    ? receivers[index].bufferDepth(at: local)
                    : sessionReceivers[index].bufferDepth(ofSession: session, at: local)
                add(id, "delivered", seen.quality.received, "packets")
                add(id, "delivered_bytes", seen.quality.bytes, "bytes")
                add(id, "late", seen.late, "packets")
                add(id, "one_way_delay", seen.latestDelay?.nanoseconds, "ns")
                add(id, "interarrival_jitter", seen.quality.interarrivalJitter.map { Int64($0.rounded()) }, "ns")
                add(id, "buffer", depth.nanoseconds, "ns")
            }
            if configuration.watchesPositions {
                add(id, "position", position(ofReceiver: index)?.nanoseconds, "ns")
            }
            let row = index * ledger.rowCount
            for pair in ledger.receivers[row].pairs.indices {
                let audio = configuration.program.substreams[ledger.receivers[row].pairs[pair].audio].id
                let skew = ledger.receivers[row].pairs[pair].meter.latest
                add("\(id)/\(audio)", "lip_sync_skew", skew?.nanoseconds, "ns")
            }
        }
        if configuration.playsTogether { add("receivers", "position_spread", positionSpread?.nanoseconds, "ns") }
        return values
    }
}
