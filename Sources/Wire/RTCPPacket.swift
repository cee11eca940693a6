import Timebase

/// One RTCP packet (RFC 3550 §6.4 to §6.7).
public enum RTCPPacket: Hashable, Sendable {
    /// SR, §6.4.1.
    case senderReport(SenderReport)
    /// RR, §6.4.2.
    case receiverReport(ReceiverReport)
    /// SDES, §6.5: chunks.
    case sourceDescription([SourceDescription])
    /// BYE, §6.6.
    case goodbye(Goodbye)
    /// A packet of another type, as its header says and with the bytes behind the header.
    case other(type: UInt8, count: UInt8, body: [UInt8])

    /// SR, §6.4.1.
    public struct SenderReport: Hashable, Sendable {
        /// Who reports.
        public var ssrc: UInt32
        /// When the report was made, by the sender's clock.
        public var ntpTimestamp: NTPTimestamp
        /// The same instant on the media's RTP clock.
        public var rtpTimestamp: UInt32
        /// RTP packets sent, modulo 2^32.
        public var packetCount: UInt32
        /// Bytes of payload sent, modulo 2^32.
        public var octetCount: UInt32
        /// At most 31.
        public var reports: [ReceptionReport] = []

        public init(
            ssrc: UInt32, ntpTimestamp: NTPTimestamp, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32
        ) {
            self.ssrc = ssrc
            self.ntpTimestamp = ntpTimestamp
            self.rtpTimestamp = rtpTimestamp
            self.packetCount = packetCount
            self.octetCount = octetCount
        }
    }

    /// RR, §6.4.2.
    public struct ReceiverReport: Hashable, Sendable {
        /// Who reports.
        var ssrc: UInt32
        /// At most 31.
        public var reports: [ReceptionReport]

        public init(ssrc: UInt32, reports: [ReceptionReport] = []) {
            self.ssrc = ssrc
            self.reports = reports
        }
    }

    /// A chunk of an SDES packet, §6.5.
    public struct SourceDescription: Hashable, Sendable {
        struct Item: Hashable, Sendable {
            /// 1 is CNAME, 2 NAME, 6 TOOL, ...
            var type: UInt8
            /// UTF-8, at most 255 bytes.
            var text: [UInt8]

            init(type: UInt8, text: [UInt8]) {
                self.type = type
                self.text = text
            }
        }

        /// Who is described.
        public var ssrc: UInt32
        var items: [Item]

        init(ssrc: UInt32, items: [Item]) {
            self.ssrc = ssrc
            self.items = items
        }

        /// A source with its canonical name, of which at most 255 bytes of UTF-8 are sent.
        public init(ssrc: UInt32, cname: String) {
            self.init(ssrc: ssrc, items: [Item(type: 1, text: Array(cname.utf8))])
        }

        /// The canonical name; nil without one.
        public var cname: String? { items.first { $0.type == 1 }.map { String(decoding: $0.text, as: UTF8.self) } }
    }

    /// BYE, §6.6.
    public struct Goodbye: Hashable, Sendable {
        /// Who leaves; at most 31.
        public var sources: [UInt32]
        /// UTF-8, at most 255 bytes; nil for none.
        var reason: [UInt8]?

        public init(sources: [UInt32], reason: [UInt8]? = nil) {
            self.sources = sources
            self.reason = reason
        }
    }

    /// The packet type: SR 200, RR 201, SDES 202, BYE 203.
    var type: UInt8 {
        switch self {
        case .senderReport: 200
        case .receiverReport: 201
        case .sourceDescription: 202
        case .goodbye: 203
        case .other(let type, _, _): type
        }
    }
}
