/// What a node's end of the program knows, for agents that report it (RFC 3550 §6.4).
public enum MediaStatus: Sendable, Equatable {
    /// The node sends the program.
    case sending(Sending)
    /// The node receives the program.
    case receiving(Receiving)

    /// Of the sending end.
    public struct Sending: Sendable, Equatable {
        /// The RTP source that sends.
        public var ssrc: UInt32
        /// What the node's disciplined clock shows now.
        public var time: LocalInstant
        /// The media's RTP clock now.
        public var rtpTimestamp: UInt32
        /// RTP packets and bytes of payload sent, modulo 2^32.
        public var packetCount: UInt32
        /// Bytes of payload sent, headers not counted, modulo 2^32.
        public var octetCount: UInt32

        public init(
            ssrc: UInt32, time: LocalInstant, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32
        ) {
            self.ssrc = ssrc
            self.time = time
            self.rtpTimestamp = rtpTimestamp
            self.packetCount = packetCount
            self.octetCount = octetCount
        }
    }

    /// Of a receiving end, by its own reckoning.
    public struct Receiving: Sendable, Equatable {
        /// Of the source that it receives.
        public var source: UInt32
        /// Packets sent by the sequence numbers, and packets received, duplicates counted.
        public var expected: Int64 = 0
        /// Packets received, duplicates counted.
        public var received: Int64 = 0
        /// 24 bits, negative with duplicates.
        public var cumulativeLost: Int32 = 0
        /// The highest sequence number received, with the count of its cycles above it (RFC 3550 §6.4.1).
        public var extendedHighest: UInt32 = 0
        /// In ticks of the RTP clock.
        public var jitter: UInt32 = 0
        /// Where the latest packet stands; nil before it, and where nobody asks.
        public var playout: Playout?

        /// When a packet came and is presented, by the node's disciplined clock.
        public struct Playout: Sendable, Equatable {
            /// The packet's.
            public var rtpTimestamp: UInt32
            /// When it came.
            public var received: LocalInstant
            /// When it is presented.
            public var presented: LocalInstant

            public init(rtpTimestamp: UInt32, received: LocalInstant, presented: LocalInstant) {
                self.rtpTimestamp = rtpTimestamp
                self.received = received
                self.presented = presented
            }
        }

        /// Of a source of which nothing has come yet.
        public init(source: UInt32) { self.source = source }
    }
}
