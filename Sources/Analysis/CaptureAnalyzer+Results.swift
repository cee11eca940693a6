import Metrics
import Timebase
import Wire

extension CaptureAnalyzer {
    /// Ends all streams. The captures' own facts are for the caller to add.
    public func finish() -> CaptureAnalysis {
        for flow in flows.values.sorted(by: { $0.key.order < $1.key.order }) {
            let isDescribed = flow.description?.isRTP == true || flow.carriage == .rtp
            let ready = flow.candidates.filter { $0.isStream(isDescribed: isDescribed, atEnd: true) }
            flow.candidates = []
            for candidate in ready { admit(candidate, to: flow) }
        }
        for stream in streams { stream.finish() }
        for transport in transports { transport.finish() }
        for stream in srtStreams { stream.finish() }
        var all: [(StreamMeasurements, RTPStream?)] = streams.map { ($0.measurements, $0) }
        let plain = transports.filter(\.isCertain)
        all += plain.map { ($0.measurements, nil) } + srtStreams.map { ($0.measurements, nil) }
        all.sort { ($0.0.order) < ($1.0.order) }
        for index in all.indices { all[index].0.id = "s\(index + 1)" }
        result.streams = labelledFEC(all.map(\.0), largest: all.map { $0.1?.largestPayload ?? 0 })
        labelRetransmissions(&result.streams)
        RoundTripPlace.name(&result.streams)
        result.pairs = LipSyncPairs.find(
            in: all.compactMap { entry in entry.1.map { (entry.0.id, $0) } })
        result.ntp = ntp.measurements
        if flowsLeftOut > 0 { result.notes.append("\(flowsLeftOut) datagrams of flows beyond 65,536 were left out") }
        return result
    }

    /// RIST sends again in a source of its own, whose number is the media's with its last bit set, with the numbers that
    /// the packets had (VSF TR-06-1 §5.3.3).
    private func labelRetransmissions(_ streams: inout [StreamMeasurements]) {
        for index in streams.indices {
            guard let ssrc = streams[index].ssrc, ssrc & 1 == 1, streams[index].kind == .rtp,
                let media = streams.firstIndex(where: {
                    $0.ssrc == ssrc & ~1 && $0.source.address == streams[index].source.address
                        && $0.destination == streams[index].destination && $0.payloadType == streams[index].payloadType
                        && $0.quality.received >= 2 * streams[index].quality.received && $0.kind == .rtp
                        && $0.encoding?.uppercased() == "MP2T"
                })
            else { continue }
            streams[index].kind = .rtx
            streams[index].notes.append("taken for RIST's retransmissions of \(streams[media].id) by its source")
            streams[media].retransmitted = streams[index].quality.received
        }
    }

    /// SMPTE 2022-1 goes two and four ports above the transport stream it protects, and its packets are 16 bytes longer.
    private func labelledFEC(_ streams: [StreamMeasurements], largest: [Int]) -> [StreamMeasurements] {
        var streams = streams
        for index in streams.indices where streams[index].kind == .rtp && streams[index].transportStream == nil {
            let fec = streams[index]
            let protected = streams.indices.contains { other in
                let media = streams[other]
                let above = Int(fec.destination.port) - Int(media.destination.port)
                return media.transportStream != nil && media.destination.address == fec.destination.address
                    && (above == 2 || above == 4) && largest[index] == largest[other] + 16
            }
            guard protected else { continue }
            streams[index].kind = .fec
            streams[index].notes.append("taken for SMPTE 2022-1 FEC by its port and the length of its packets")
        }
        return streams
    }
}

extension FlowKey {
    /// Any fixed order will do.
    fileprivate var order: String { "\(source) \(destination)" }
}

extension StreamMeasurements {
    fileprivate var order: (Int64, String, UInt32) {
        (quality.first.nanoseconds, "\(source) \(destination)", ssrc ?? 0)
    }
}
