import Timebase

/// One direction of a telephone call: packets of sound of one length, all the time or in talk spurts.
public struct SyntheticCall: Sendable {
    var codec: Codec
    /// Of a packet: 1...200 ms of G.711, whole milliseconds; 2.5, 5, 10 or 20 ms of Opus.
    var packetDuration: TimeSpan
    /// Nil: sound is sent all the time.
    var talkSpurts: TalkSpurts?

    /// How the sound is coded.
    public enum Codec: Sendable, Equatable {
        /// ITU-T G.711 by the µ-law, 64 kbit/s: the digital milliwatt, a tone of 1 kHz at 0 dBm0.
        case pcmu
        /// The same by the A-law.
        case pcma
        /// RFC 6716, one CELT frame of full band a packet: silence, filled up to a bit rate (of packets, without headers)
        /// that is exact over every fifty; `variation` is how far a packet may lie from the mean, 0...1.
        case opus(BitRate, variation: Double)
    }

    /// Who talks, and who listens.
    public struct TalkSpurts: Sendable, Equatable {
        /// Mean time of talking, at least a packet.
        var on: TimeSpan
        /// Mean time of silence, in which nothing is sent; at least a packet.
        var off: TimeSpan

        public init(on: TimeSpan, off: TimeSpan) {
            self.on = on
            self.off = off
        }
    }

    /// All the time, or in talk spurts.
    public init(_ codec: Codec, packetDuration: TimeSpan = .milliseconds(20), talkSpurts: TalkSpurts? = nil) {
        self.codec = codec
        self.packetDuration = packetDuration
        self.talkSpurts = talkSpurts
    }

    /// Whether the codec has packets of this length, and spurts and silences have one at least in the mean.
    var isPossible: Bool { hasPacketDuration && (talkSpurts.map { min($0.on, $0.off) >= packetDuration } ?? true) }

    private var hasPacketDuration: Bool {
        switch codec {
        case .pcmu, .pcma:
            packetDuration.nanoseconds % 1_000_000 == 0
                && (.milliseconds(1)...TimeSpan.milliseconds(200)).contains(packetDuration)
        case .opus: CallUnits.opusConfiguration(packetDuration) != nil
        }
    }
}

extension SyntheticCall.Codec {
    /// As ``Substream/codecName`` has it.
    var name: String {
        switch self {
        case .pcmu: "pcmu"
        case .pcma: "pcma"
        case .opus: "opus"
        }
    }

    /// What a program map says of it. Transport streams have no mapping of G.711, which goes as private data there.
    var descriptors: [UInt8] {
        switch self {
        case .pcmu, .pcma: []
        // Registration "Opus", and the extension descriptor that Opus took: one channel.
        case .opus: [0x05, 4] + Array("Opus".utf8) + [0x7f, 2, 0x80, 1]
        }
    }
}
