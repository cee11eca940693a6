import Analysis
import Glibc
import Metrics
import Wire

/// What the emulator knows of a stream in one of its own captures.
package struct StreamTruth {
    /// "sender" or the receiver's id.
    var point: String
    /// Of `run.json`.
    var flow: JSONValue
    var isSender: Bool

    private func packets(_ name: String) -> Int64? { flow["packets"]?[name]?.integer }
    private func jitter(_ name: String) -> Int64? {
        isSender ? nil : flow["interarrival_jitter_ns"]?[name]?.integer
    }

    /// Datagrams that passed the point, copies too.
    var received: Int64? { packets(isSender ? "sent" : "delivered") }
    var duplicates: Int64? { isSender ? 0 : packets("duplicates") }
    var reordered: Int64? { isSender ? 0 : packets("reordered") }
    /// Datagrams sent that never passed the point unharmed.
    var lost: Int64? { isSender ? 0 : packets("unrepaired") }

    var document: JSONValue {
        let isReceiver = !isSender
        return [
            "point": .string(point),
            "packets": [
                "received": JSONValue(received), "duplicates": JSONValue(duplicates), "lost": JSONValue(lost),
                "reordered": JSONValue(reordered),
                "dropped_checksum": JSONValue(isReceiver ? packets("dropped_checksum") : 0),
            ],
            "one_way_delay_ns": isReceiver ? flow["one_way_delay_ns"] ?? nil : nil,
            "interarrival_jitter_ns": isReceiver ? flow["interarrival_jitter_ns"] ?? nil : nil,
            "ipdv_ns": isReceiver ? flow["ipdv_ns"] ?? nil : nil,
            "pdv_ns": isReceiver ? flow["pdv_ns"] ?? nil : nil,
            "loss_runs": isReceiver ? flow["loss_runs"] ?? nil : nil,
        ]
    }

    /// What can be measured in the capture and is true of it: name, measured, true; nil for what one side lacks.
    func rows(_ stream: StreamMeasurements) -> [(name: String, isTime: Bool, measured: Int64?, truth: Int64?)] {
        let pdv = isSender ? nil : flow["pdv_ns"]
        return [
            ("packets", false, stream.quality.received, received),
            ("lost", false, stream.quality.lost, lost),
            ("duplicates", false, stream.quality.duplicates, duplicates),
            ("reordered", false, stream.quality.reordered, reordered),
            ("jitter mean", true, stream.quality.interarrivalJitter?.mean, jitter("mean")),
            ("jitter max", true, stream.quality.interarrivalJitter?.maximum, jitter("max")),
            ("pdv p50", true, stream.quality.pdv?.quantile(0.5), pdv?["p50"]?.integer),
            ("pdv p99", true, stream.quality.pdv?.quantile(0.99), pdv?["p99"]?.integer),
            ("pdv max", true, stream.quality.pdv?.maximum, pdv?["max"]?.integer),
        ]
    }
}

/// The record of the run that a capture belongs to.
package enum RunTruth {
    /// What is true of the streams of a capture, by their ids: none, when it does not lie in the `capture` folder of a
    /// run directory as the run wrote it.
    package static func find(for capture: String, _ streams: [StreamMeasurements]) -> [String: StreamTruth] {
        let name = FileTree.lastComponent(of: capture)
        guard name.hasSuffix(".pcap"), let size = size(of: capture),
            let document = document(beside: capture), document["schema"]?.string == Catalog.schema,
            let artifacts = document["artifacts"]?.elements, let flows = document["flows"]?.elements
        else { return [:] }
        let isOurs = artifacts.contains {
            $0["path"]?.string == "capture/" + name && $0["bytes"]?.integer == size
        }
        guard isOurs, let (point, found) = select(flows, String(name.dropLast(5))) else { return [:] }
        // Sessions have ascending ports in the order of the flows.
        let media = streams.filter { $0.kind == .rtp || $0.kind == .transportStream }
            .sorted { $0.destination.port < $1.destination.port }
        guard media.count == found.count else { return [:] }
        let truths = zip(media, found).map { stream, flow in
            (stream.id, StreamTruth(point: point, flow: flow, isSender: point == "sender"))
        }
        return Dictionary(truths, uniquingKeysWith: { first, _ in first })
    }

    /// The schema of the run that a capture lies in, when an earlier version wrote it: its figures mean something else.
    package static func earlierSchema(beside capture: String) -> String? {
        document(beside: capture)?["schema"]?.string.flatMap { Catalog.earlierSchemas.contains($0) ? $0 : nil }
    }

    private static func document(beside capture: String) -> JSONValue? {
        guard let bytes = try? FileTree.contents(of: FileTree.parent(of: capture) + "/../run.json") else { return nil }
        return try? JSONValue(parsing: bytes)
    }

    /// The flows that pass a capture point; nil for points within the network, where run.json counts no flow apart.
    private static func select(_ flows: [JSONValue], _ name: String) -> (point: String, flows: [JSONValue])? {
        guard let first = flows.first?["receiver"]?.string else { return nil }
        func flowsTo(_ receiver: String) -> [JSONValue] { flows.filter { $0["receiver"]?.string == receiver } }
        if name == "sender" { return ("sender", flowsTo(first)) }
        if name == "receiver" { return (first, flowsTo(first)) }
        guard name.hasPrefix("receiver-") else { return nil }
        let receiver = String(name.dropFirst("receiver-".count))
        return (receiver, flowsTo(receiver))
    }

    private static func size(of path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }
}
