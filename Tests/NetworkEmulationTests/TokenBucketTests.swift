import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Token buckets: policer and shaper")
struct TokenBucketTests {
    static func configuration(_ capacity: CapacitySource = .constant, rate: UInt64? = nil) -> LinkConfiguration {
        var configuration = LinkConfiguration(
            loss: .none, rate: rate.map { BitRate(bitsPerSecond: $0) }, queueLimit: .packets(100_000),
            delay: DelayModel(delay: .zero, key: DrawKey(seed: 1)))
        configuration.capacity = capacity
        return configuration
    }

    static func bucket(_ rate: UInt64, _ burst: Int) -> TokenBucketParameters {
        TokenBucketParameters(rate: BitRate(bitsPerSecond: rate), burst: burst)
    }

    /// Whether in every interval no more than burst + rate · length came, packets being counted whole.
    private func conforms(_ packets: [(at: Instant, length: Int)], _ bucket: TokenBucketParameters) -> Bool {
        for begin in packets.indices {
            var bits: Int128 = 0
            for packet in packets[begin...] {
                bits += Int128(packet.length) * 8_000_000_000
                let span = Int128((packet.at - packets[begin].at).nanoseconds)
                let most = Int128(bucket.burst) * 8_000_000_000 + span * Int128(bucket.rate.bitsPerSecond)
                if bits > most { return false }
            }
        }
        return true
    }

    private func traffic(_ seed: UInt64, count: Int) -> [Packet] {
        var random = TestRandom(seed)
        var at: Int64 = 0
        return (0..<count).map { index in
            at += random.below(3) == 0 ? 0 : random.below(2_000_000)
            return Packet(
                number: UInt32(index), at: Instant(nanoseconds: at), length: UInt16(40 + random.below(1_460)))
        }
    }

    @Test(
        "a policer passes what conforms in every interval, and drops only what would not",
        arguments: [1, 2, 3] as [UInt64])
    func policer(seed: UInt64) {
        let bucket = Self.bucket(3_000_000, 6_000)
        var configuration = Self.configuration()
        configuration.policer = bucket
        var link = Link(configuration)
        var passed: [(at: Instant, length: Int)] = []
        var dropped = 0
        for packet in traffic(seed, count: 150) {
            let arrival = (at: packet.time, length: Int(packet.length))
            if link.handle(packet, at: packet.time) == .accepted {
                passed.append(arrival)
            } else {
                dropped += 1
                #expect(!conforms(passed + [arrival], bucket), "packet \(packet.number), seed \(seed)")
            }
        }
        #expect(conforms(passed, bucket))
        #expect(dropped > 10 && link.counters.all.policed == dropped)
    }

    @Test("a shaper sends a burst of the bucket's size at once, and then at its rate, to the nanosecond")
    func shaperBurst() {
        let bucket = Self.bucket(8_000_000, 10_000)
        var link = Link(Self.configuration(.tokens(bucket), rate: 8_000_000))
        let passage = link.pass((0..<20).map { Packet(number: UInt32($0), at: .zero, length: 1_000) })
        // 1,000 bytes take 1 ms of tokens; ten of them are there.
        let expected = (0..<20).map { Instant(nanoseconds: max(0, Int64($0) - 9) * 1_000_000) }
        #expect(passage.departures.map(\.time) == expected)
    }

    @Test(
        "what a shaper sends conforms in every interval and keeps its order, nothing is lost",
        arguments: [4, 5] as [UInt64])
    func shaper(seed: UInt64) {
        let bucket = Self.bucket(3_000_000, 6_000)
        var link = Link(Self.configuration(.tokens(bucket), rate: 3_000_000))
        let passage = link.pass(traffic(seed, count: 200))
        #expect(passage.departures.map(\.number) == (0..<200).map { UInt32($0) })
        #expect(conforms(passage.departures.map { ($0.time, Int($0.length)) }, bucket))
        // It never waits longer than it must: with one byte more in the bucket it would have sent earlier.
        let smaller = Self.bucket(3_000_000, 5_999)
        #expect(!conforms(passage.departures.map { ($0.time, Int($0.length)) }, smaller))
    }

    @Test("a packet larger than the bucket is dropped and holds nobody up")
    func oversized() {
        var link = Link(Self.configuration(.tokens(Self.bucket(8_000_000, 500)), rate: 8_000_000))
        let lengths: [UInt16] = [400, 600, 400]
        let passage = link.pass(lengths.enumerated().map { Packet(number: UInt32($0), at: .zero, length: $1) })
        #expect(passage.verdicts == [.accepted, .dropped(.queueFull), .accepted])
        #expect(passage.departures.map(\.number) == [0, 2])
        // 100 bytes were left; 300 more take 300 µs.
        #expect(passage.departures[1].time == .zero + .microseconds(300))
    }

    @Test("a schedule's change reaches the packet that waits for tokens")
    func changeWhileWaiting() {
        var configuration = Self.configuration(.tokens(Self.bucket(1_000, 1_600)), rate: 1_000)
        let later = Self.configuration(.tokens(Self.bucket(1_000_000, 2_000)), rate: 1_000_000)
        configuration.changes = [(.zero + .milliseconds(500), later)]
        var link = Link(configuration)
        let passage = link.pass((0..<2).map { Packet(number: UInt32($0), at: .zero, length: 1_000) })
        // 600 bytes are left; half a second brings 62.5 more, and the missing 337.5 take 2.7 ms at the new rate.
        #expect(passage.departures.map { $0.time.nanoseconds } == [0, 502_700_000])
    }

    @Test("a schedule changes a shaper's numbers, what the bucket holds stays")
    func change() {
        var configuration = Self.configuration(.tokens(Self.bucket(8_000_000, 2_000)), rate: 8_000_000)
        let later = Self.configuration(.tokens(Self.bucket(4_000_000, 2_000)), rate: 4_000_000)
        configuration.changes = [(.zero + .milliseconds(2), later)]
        var link = Link(configuration)
        let passage = link.pass((0..<6).map { Packet(number: UInt32($0), at: .zero, length: 1_000) })
        // Two at once; the third is through at 1 ms; the fourth is due at 2 ms, from then a packet takes 2 ms.
        #expect(passage.departures.map { $0.time.nanoseconds / 1_000_000 } == [0, 0, 1, 2, 4, 6])
    }
}
