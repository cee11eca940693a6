/// Where a TCP segment's payload lies, and between which ports it goes (RFC 9293 §3.1).
public struct TCPSegment: Hashable, Sendable, BitwiseCopyable {
    /// From which port it goes.
    public let sourcePort: UInt16
    /// To which.
    public let destinationPort: UInt16
    /// Where the payload begins, bytes from the segment's start.
    public let payloadOffset: Int

    /// Reads the header with which `bytes` begin; nil when there is none, or nothing behind it.
    public init?(parsing bytes: RawSpan) {
        guard bytes.byteCount > 20 else { return nil }
        sourcePort = bytes.loaded(at: 0)
        destinationPort = bytes.loaded(at: 2)
        payloadOffset = 4 * Int(bytes.loaded(UInt8.self, at: 12) >> 4)
        guard payloadOffset >= 20, payloadOffset < bytes.byteCount else { return nil }
    }
}
