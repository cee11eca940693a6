import Timebase

/// One experiment, complete: every default filled in, every number checked, nothing left to decide.
///
/// A plain value. ``resolvedYAML`` writes it as a scenario that is read back as an equal value.
public struct ExperimentScenario: Equatable, Sendable {
    /// Letters, digits, `.`, `_` and `-`; at most 100.
    public var name: String
    /// How long the sources send; nil: as long as the program's file lasts.
    public var duration: TimeSpan?
    /// The root of every random draw.
    public var seed: UInt64
    public var program: Program
    public var sender: Sender
    /// The shared links from the sender to the receivers, in order; at least one.
    public var forward: [Link]
    /// The shared links from the receivers to the sender, in order; at least one.
    public var reverse: [Link]
    public var senderClock: Clock
    /// The clock of every receiver that has none of its own.
    public var receiverClock: Clock
    /// As written, at least one; ``expandedReceivers`` has one element for each that runs.
    public var receivers: [Receiver]
    public var qos: QoSContract
    public var capture: CapturePoints
    public var outputs: Outputs
}

// MARK: - What is sent

extension ExperimentScenario {
    /// What is sent.
    public enum Program: Equatable, Sendable {
        case file(ProgramFile)
        /// At least one, ids unique.
        case substreams([Substream])
    }

    /// A transport-stream file.
    public struct ProgramFile: Equatable, Sendable {
        /// Absolute path.
        public var path: String
        /// Whether it begins again at its end, until `duration`.
        public var loops: Bool
        /// What the file's SHA-256 must be, 64 lower-case hexadecimal digits; nil: not checked.
        public var sha256: String?
    }

    public struct Substream: Equatable, Sendable {
        /// Letters, digits, `_` and `-`.
        public var id: String
        public var kind: Kind
        public var source: Source

        public enum Kind: String, Sendable, CaseIterable { case video, audio, data }
    }

    /// Where a substream's units come from.
    public enum Source: Equatable, Sendable {
        case h264(H264)
        case mp2(MP2)
        case opaque(Opaque)
        /// Absolute path of a table `time,size,type`.
        case trace(path: String)
    }

    public struct H264: Equatable, Sendable {
        public var frameRate: UnitsPerSecond
        /// 1...600 letters I, P and B in order of presentation, an I first.
        public var gop: String
        /// Of the access units, by the clock of the program.
        public var bitRate: BitRate
        /// Half range of the uniform deviation of a unit's size from its picture type's usual one.
        public var sizeVariation: Ratio
    }

    /// MPEG-1 audio layer II.
    public struct MP2: Equatable, Sendable {
        /// 1152 samples: 24 ms (48 kHz) or 36 ms (32 kHz).
        public var frameDuration: TimeSpan
        /// One of the layer's (ISO/IEC 11172-3 §2.4.2.3).
        public var bitRate: BitRate
    }

    /// Bytes without a meaning.
    public struct Opaque: Equatable, Sendable {
        public var timing: Timing
        public var volume: Volume
        /// Half range of the uniform deviation of a unit's size from the mean.
        public var sizeVariation: Ratio

        /// How much there is.
        public enum Volume: Equatable, Sendable {
            case bitRate(BitRate)
            /// Bytes of the mean unit.
            case unitSize(Int)
        }

        /// How often units come.
        public enum Timing: Equatable, Sendable {
            case rate(UnitsPerSecond)
            /// 1 us...1 h.
            case period(TimeSpan)
        }
    }
}

// MARK: - Sender, network, clocks

extension ExperimentScenario {
    public struct Sender: Equatable, Sendable {
        public var carriage: Carriage
        public var muxRate: MuxRate
        /// 1...7.
        public var transportPacketsPerDatagram: Int
        public var pacing: Pacing
        /// From a unit's capture to its earliest sending; nil: the least constant that never sends a unit before it.
        public var latency: TimeSpan?
        /// Of the program's datagrams.
        public var programClass: ServiceClass
        /// Of reports, in both directions.
        public var reportClass: ServiceClass
        /// Whether the program's datagrams take congestion marks (RFC 6679).
        public var ecn: Bool
        /// What the program asks of every link on its way.
        public var reservation: TokenBucket?
        /// Nil: datagrams are sent in their order. With RTP only.
        public var interleave: Interleave?

        public enum Carriage: String, Sendable, CaseIterable {
            case tsUDP = "ts-udp"
            case tsRTP = "ts-rtp"
        }

        public enum MuxRate: Equatable, Sendable {
            /// The least constant rate that keeps every unit in time.
            case automatic
            case variable
            /// Transport-stream bits per second.
            case constant(BitRate)
        }

        public enum Pacing: String, Sendable { case constant }
    }

    /// A block interleaver over datagrams: written by rows, sent by columns.
    public struct Interleave: Equatable, Sendable {
        /// 2...100.
        public var rows: Int
        /// 2...100.
        public var columns: Int
    }

    /// A node's free-running clock.
    public struct Clock: Equatable, Sendable {
        /// At emulated time zero; positive: fast.
        public var offset: TimeSpan
        /// Parts per billion; positive: gains.
        public var frequency: Int64

        public static let perfect = Clock(offset: .zero, frequency: 0)
    }
}

// MARK: - Receivers and outputs

extension ExperimentScenario {
    public struct Receiver: Equatable, Sendable {
        /// Letters, digits, `_` and `-`; of an expanded one also `.` and its number.
        public var id: String
        public var playout: Playout
        public var anchor: Anchor
        public var late: LatePolicy
        public var clockRecovery: ClockRecovery
        public var lipSync: LipSync
        /// Whether it takes datagrams whose checksum is wrong.
        public var deliversCorrupted: Bool
        /// 1...10,000: how many such receivers there are.
        public var count: Int
        /// Its own links after the shared ones.
        public var lastLinks: [Link]
        public var clock: Clock

        public enum Playout: Equatable, Sendable { case fixed(TimeSpan) }
        public enum Anchor: String, Sendable { case firstArrival = "first-arrival" }
        /// What becomes of a datagram that comes after its release.
        public enum LatePolicy: String, Sendable, CaseIterable { case drop, present }
        public enum ClockRecovery: String, Sendable { case none }
    }

    public struct LipSync: Equatable, Sendable {
        public var correction: Correction
        public var profile: LipSyncProfile

        public enum Correction: String, Sendable { case none }
    }

    /// Where packets are written down.
    public struct CapturePoints: Equatable, Sendable {
        public var sender: Bool
        public var receiver: Bool
        /// Both ends of every link.
        public var links: Bool

        public static let none = CapturePoints(sender: false, receiver: false, links: false)
        public static let all = CapturePoints(sender: true, receiver: true, links: true)
    }

    public struct Outputs: Equatable, Sendable {
        /// sent.ts.
        public var sentMedia: Bool
        /// received.ts.
        public var receivedMedia: Bool
        /// The interval of series.csv; nil: no series.
        public var series: TimeSpan?
        /// packets.csv.
        public var packets: Bool
    }

    /// Every receiver that runs: one with `count` N as N of them, `id.1` ... `id.N`, each with count 1.
    public var expandedReceivers: [Receiver] {
        receivers.flatMap { receiver in
            guard receiver.count > 1 else { return [receiver] }
            return (1...receiver.count).map { number in
                var one = receiver
                one.id = "\(receiver.id).\(number)"
                one.count = 1
                return one
            }
        }
    }
}
