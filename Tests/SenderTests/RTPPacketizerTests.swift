@testable import Sender
import Testing
import Timebase

@Suite("RTP packetizer (RFC 3550 §5.1, RFC 2250 §2)")
struct RTPPacketizerTests {
    static func packetizer(_ seed: UInt64 = 1) -> RTPPacketizer {
        RTPPacketizer(payloadType: 33, clockRate: 90_000, key: DrawKey(seed: seed).named("rtp"))
    }

    @Test("timestamps are the sending time in ticks of 90 kHz, nearest and without drift after ten hours")
    func timestamps() {
        let packetizer = Self.packetizer()
        let zero = packetizer.timestamp(.zero)
        // 36,000 s are 3,240,000,000 ticks; with 11,111 ns one tick more is nearer, with 5,555 ns it is not.
        #expect(packetizer.timestamp(.seconds(36_000)) &- zero == 3_240_000_000)
        #expect(packetizer.timestamp(.seconds(36_000) + .nanoseconds(5_555)) &- zero == 3_240_000_000)
        #expect(packetizer.timestamp(.seconds(36_000) + .nanoseconds(5_556)) &- zero == 3_240_000_001)
        // 2^32 ticks are 47,721.858844444… s: wrapped.
        #expect(packetizer.timestamp(.nanoseconds(47_721_858_844_445)) == zero)
        #expect(packetizer.timestamp(.milliseconds(-1)) &- zero == UInt32(bitPattern: -90))
    }

    @Test("headers count on, sequence numbers wrap, and the counters are those of a sender report")
    func headers() {
        var packetizer = Self.packetizer()
        var header = [UInt8](repeating: 0xee, count: 12)
        var first: UInt16?
        for number in 0..<70_000 as Range<Int64> {
            header.withUnsafeMutableBytes {
                packetizer.writeHeader(to: $0, sentAfter: .microseconds(100 * number))
            }
            packetizer.noteSent(payloadCount: 1_316)
            let sequence = UInt16(header[2]) << 8 | UInt16(header[3])
            let base = first ?? sequence
            first = base
            #expect(sequence == base &+ UInt16(truncatingIfNeeded: number))
            #expect(header[0] == 0x80 && header[1] == 33)
            let timestamp = header[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(timestamp == packetizer.timestamp(.zero) &+ UInt32(9 * number))
            #expect(header[8..<12].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == packetizer.ssrc)
        }
        #expect(packetizer.packetCount == 70_000 && packetizer.octetCount == 70_000 * 1_316)
    }

    @Test("SSRC, first sequence number and timestamp offset are drawn apart")
    func randomStart() {
        let packetizers = (1...50 as ClosedRange<UInt64>).map(Self.packetizer)
        #expect(Set(packetizers.map(\.ssrc)).count == 50)
        #expect(Set(packetizers.map { $0.timestamp(.zero) }).count == 50)
        #expect(packetizers.allSatisfy { $0.timestamp(.zero) != $0.ssrc })
    }
}
