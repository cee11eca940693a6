import Capture
import Wire

extension CaptureAnalysis {
    /// Reads captures, merged in the order of their times, and files of transport packets, and measures the media in them.
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
        let files = try paths.map { try CaptureFile(path: $0) }
        let readers = files.compactMap { file -> DatagramReader? in
            guard case .capture(let reader) = file else { return nil }
            return DatagramReader(reader, filter: filter, checksChecksums: options.checksChecksums)
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
        for file in files {
            switch file {
            case .capture(let reader): inputs.append(reader.input)
            case .transportStream(let reader):
                var stream = try TransportStreamFile.measure(reader)
                stream.id = "s\(streams.count + 1)"
                streams.append(stream)
                inputs.append(reader.input)
            }
        }
    }
}
