import Analysis
import Capture
import Metrics
import Timebase
import Wire

/// The streams as a table of comma-separated values with the columns of Wireshark's RTP streams window.
package enum StreamTable {
    private static let columns = [
        "Source Address", "Source Port", "Destination Address", "Destination Port", "SSRC", "Start Time", "Duration",
        "Payload", "Packets", "Lost", "Min Delta (ms)", "Mean Delta (ms)", "Max Delta (ms)", "Min Jitter",
        "Mean Jitter", "Max Jitter", "Status",
    ]

    /// A header line and one line a stream.
    package static func csv(_ analysis: CaptureAnalysis) -> String {
        let start = analysis.inputs.compactMap(\.first).min() ?? .zero
        var lines = [columns.joined(separator: ",")]
        for stream in analysis.streams {
            let fields =
                ends(of: stream) + [
                    stream.ssrc.map(hexadecimal) ?? "", decimal((stream.quality.first - start).nanoseconds, 9),
                    decimal(stream.quality.duration.nanoseconds, 9),
                    stream.encoding ?? stream.payloadType.map { "RTPType-\($0)" } ?? "",
                    stream.quality.received.description,
                    stream.quality.lost.map(\.description) ?? "", milliseconds(stream.quality.interarrival?.minimum),
                    milliseconds(stream.quality.interarrival?.mean), milliseconds(stream.quality.interarrival?.maximum),
                    "",
                    milliseconds(stream.quality.interarrivalJitter?.mean),
                    milliseconds(stream.quality.interarrivalJitter?.maximum),
                    (stream.quality.lost ?? 0) > 0 || (stream.quality.reordered ?? 0) > 0
                        || (stream.quality.duplicates ?? 0) > 0 ? "X" : "",
                ]
            lines.append(fields.map(csvField).joined(separator: ","))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The first four columns; of a file its name is all there is.
    private static func ends(of stream: StreamMeasurements) -> [String] {
        if let file = stream.file { return [file, "", "", ""] }
        return [stream.source, stream.destination].flatMap { [$0.address.description, $0.port.description] }
    }

    private static func milliseconds(_ nanoseconds: Int64?) -> String {
        nanoseconds.map { decimal($0, 6) } ?? ""
    }

    /// A whole number with the point moved `places` to the left.
    private static func decimal(_ value: Int64, _ places: Int) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
        return (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }
}
