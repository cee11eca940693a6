/// Losses told apart into bursts and gaps, by the counting of RFC 3611 §A.2 (there for §4.7.2's metrics).
///
/// A burst begins and ends with a loss and has fewer than Gmin received packets between any two of its losses; all the
/// rest is gaps, in which losses are isolated.
public struct BurstGap: Equatable, Sendable {
    /// Received packets that end a burst; RFC 3611 recommends 16.
    public static let gmin: Int64 = 16

    // RFC 3611's names, without its "c": transitions between 1 received in a gap, 2 received in a burst, 3 lost in a
    // burst, 4 lost in a gap.
    private var c11: Int64 = 0
    private var c13: Int64 = 0
    private var c14: Int64 = 0
    private var c22: Int64 = 0
    private var c23: Int64 = 0
    private var c33: Int64 = 0
    /// Received since the last loss.
    private var received: Int64 = 0
    /// Losses in what may become a burst, 1 at least, as the RFC starts it.
    private var lost: Int64 = 1

    @usableFromInline init() {}

    /// Takes packets that arrived, one after the other.
    public mutating func add(received count: Int64) { received += count }

    /// Takes packets that were lost, one after the other.
    public mutating func add(lost count: Int64) {
        guard count > 0 else { return }
        if received >= Self.gmin {
            if lost == 1 { c14 += 1 } else { c13 += 1 }
            lost = 1
            c11 += received
        } else {
            lost += 1
            if received == 0 {
                c33 += 1
            } else {
                c23 += 1
                c22 += received - 1
            }
        }
        received = 0
        lost += count - 1
        c33 += count - 1
    }

    /// Whether a burst was seen from its beginning to its end.
    var hasBurst: Bool { c13 > 0 }
    /// Bursts that have ended.
    var bursts: Int64 { c13 }

    /// The share of packets lost within bursts, 0...1: p23 / (p23 + p32); 0 without a burst.
    var burstDensity: Double {
        guard hasBurst else { return 0 }
        let p32 = c13 + c23 + c33 > 0 ? Double(c23) / Double(c13 + c23 + c33) : 0
        let p23 = c22 + c23 < 1 ? 1 : 1 - Double(c22) / Double(c22 + c23)
        return p23 / (p23 + p32)
    }

    /// The share of packets lost within gaps, 0...1; nil before the first loss.
    var gapDensity: Double? { c11 + c14 > 0 ? Double(c14) / Double(c11 + c14) : nil }

    /// Mean length of a gap, packets; nil without a burst: the stream is one gap then.
    var gapLength: Double? { hasBurst ? Double(c11 + c14 + c13) / Double(c13) : nil }

    /// Mean length of a burst, packets; 0 without a burst.
    var burstLength: Double {
        guard hasBurst else { return 0 }
        let all = c11 + c14 + c13 + c22 + c23 + c13 + c23 + c33
        return Double(all - c11 - c14 - c13) / Double(c13)
    }
}
