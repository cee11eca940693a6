import Wire

/// PES headers of made units: PTS, and DTS where it differs.
enum PESFraming {
    /// The most bytes that a header takes.
    static let longestHeader = 19

    static func headerCount(presentation: Int64, decode: Int64) -> Int { presentation == decode ? 14 : 19 }

    static func putHeader(of unit: MediaUnit, streamID: UInt8, to writer: inout PieceWriter) {
        let count = headerCount(presentation: unit.presentation, decode: unit.decode)
        guard writer.needs(count) else { return writer.skip(count) }
        let header = PESHeader(
            streamID: streamID, pts: unit.presentation, dts: unit.decode == unit.presentation ? nil : unit.decode)
        var bytes = [19 of UInt8](repeating: 0)
        withUnsafeMutableBytes(of: &bytes) {
            header.write(to: $0, dataCount: unit.byteCount - count)
            if let base = $0.baseAddress { writer.put(base, count: count) }
        }
    }
}
