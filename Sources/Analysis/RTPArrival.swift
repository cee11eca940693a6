import Timebase

/// What is kept of an RTP packet until it can be measured.
struct RTPArrival {
    var instant: Instant
    var payloadType: UInt8
    var sequenceNumber: UInt16
    var timestamp: UInt32
    /// Bytes of UDP payload.
    var count: Int
    /// Bytes of RTP payload.
    var payloadCount: Int
    /// Bytes of padding behind it.
    var paddingCount = 0
    /// Its payload has the form of a telephone event (RFC 4733 §2.3).
    var looksLikeEvent = false
    /// The RTP payload, where it looks like transport packets and the packet has to wait.
    var transportPackets: [UInt8]?
}
