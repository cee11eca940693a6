import Capture
import Wire

extension CaptureAnalysis {
    /// Reads captures, merged in the order of their times, and measures the media in them.
    ///
    /// - Parameters:
    ///   - paths: "-" is standard input.
    ///   - each: also gets every datagram.
    /// - Throws: ``SystemError``, ``NotACapture``, ``CaptureFilter/Mistake``.
    public init(
        reading paths: [String], options: AnalysisOptions = AnalysisOptions(),
        each: ((Datagram, RawSpan) -> Void)? = nil
    ) throws {
        let filter = try options.filter.map { try CaptureFilter($0) }
        let readers = try paths.map {
            DatagramReader(
                try CaptureReader(path: $0), filter: filter, checksChecksums: options.checksChecksums)
        }
        let analyzer = CaptureAnalyzer(options)
        for reader in readers {
            reader.eachSegment = { analyzer.addSignalling(($0, $1), $2, isConnected: true) }
        }
        let merger = try DatagramMerger(readers)
        while let reader = try merger.next() {
            reader.withPayload {
                analyzer.add(reader.datagram, payload: $0)
                each?(reader.datagram, $0)
            }
        }
        self = analyzer.finish()
        inputs = readers.map(\.reader.input)
    }
}
