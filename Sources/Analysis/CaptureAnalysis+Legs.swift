import Capture
import Timebase
import Wire

extension CaptureAnalysis {
    /// Holds that are tried where nobody asks for others.
    public static let usualHolds: [TimeSpan] = [1, 2, 5, 10, 20, 50, 100, 200, 500].map { .milliseconds($0) }

    /// Measures the captures of two paths of the same RTP streams, and what merging them gives (SMPTE ST 2022-7).
    ///
    /// - Parameters:
    ///   - legs: two captures, or one that has both paths.
    ///   - holds: how long a receiver may wait, to be tried.
    /// - Throws: ``SystemError``, ``NotACapture``, ``CaptureFilter/Mistake``.
    public init(
        legs paths: [String], options: AnalysisOptions = AnalysisOptions(), holds: [TimeSpan] = usualHolds
    ) throws {
        var logs: [LegLog] = []
        var analyses: [CaptureAnalysis] = []
        for path in paths {
            var log = LegLog()
            analyses.append(try CaptureAnalysis(reading: [path], options: options) { log.add($0, payload: $1) })
            logs.append(log)
        }
        let firsts = analyses[0].streams
        self = analyses[0]
        for other in analyses.dropFirst() { append(other) }
        let seconds = Array(streams.dropFirst(analyses.count > 1 ? firsts.count : 0))
        let spans = analyses.map { $0.inputs[0].span }
        var taken: Set<String> = []
        for first in firsts where !taken.contains(first.id) {
            guard
                let second = seconds.first(where: {
                    $0.ssrc == first.ssrc && first.ssrc != nil && $0.id != first.id && !taken.contains($0.id)
                        && $0.payloadType == first.payloadType
                }), let ssrc = first.ssrc, let log = logs.last
            else { continue }
            taken.formUnion([first.id, second.id])
            let both = [first, second].map {
                LegMeasurements.Leg(stream: $0.id, source: $0.source, destination: $0.destination)
            }
            legs.append(
                LegMatcher(
                    LegMeasurements(ssrc: ssrc, legs: both), logs[0].packets(of: first), log.packets(of: second),
                    spans: (spans[0], spans[spans.count - 1])
                ).measured(holds))
        }
        if legs.isEmpty {
            notes.append("no RTP stream is on both legs, by SSRC and payload type; a leg that was down has none either")
        }
        let leftOut = logs.reduce(0) { $0 + $1.leftOut }
        if leftOut > 0 { notes.append("\(leftOut) packets beyond 8,388,608 of a leg were not compared") }
    }

    /// Adds what another capture holds, its streams numbered behind these.
    private mutating func append(_ other: CaptureAnalysis) {
        var other = other
        var names: [String: String] = [:]
        for index in other.streams.indices {
            let name = "s\(streams.count + index + 1)"
            names[other.streams[index].id] = name
            other.streams[index].id = name
        }
        for index in other.pairs.indices {
            other.pairs[index].audio = names[other.pairs[index].audio] ?? other.pairs[index].audio
            other.pairs[index].video = names[other.pairs[index].video] ?? other.pairs[index].video
        }
        inputs += other.inputs
        streams += other.streams
        pairs += other.pairs
        ntp += other.ntp
        malformedRTCP += other.malformedRTCP
        stunDatagrams += other.stunDatagrams
        notes += other.notes
    }
}

extension CaptureInput {
    /// From its first packet to its last, nanoseconds.
    fileprivate var span: ClosedRange<Int64> {
        let first = first?.nanoseconds ?? 0
        return first...max(first, last?.nanoseconds ?? first)
    }
}
