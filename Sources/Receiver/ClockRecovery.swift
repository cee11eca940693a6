/// How a receiver follows the sender's clock with its own, so that its buffer neither runs dry nor fills.
public enum ClockRecovery: Sendable, Hashable {
    /// Not at all: it plays at its own clock's rate.
    case none
    /// A phase-locked loop on the times that the program's clock references give its datagrams (ISO/IEC 13818-1 §D.0.3;
    /// RTP timestamps are that clock's, RFC 2250 §2). It follows the mean delay.
    case clockReferences
    /// The least delay of the latest two seconds, smoothed (Fober, Orlarey, Letz: Real Time Clock Skew Estimation over
    /// Network Delays, 2005; GStreamer's rtpjitterbuffer).
    case windowMinimum
    /// A line through the arrivals of the sender's reports (RFC 3550 §6.4.1).
    case senderReports
}
