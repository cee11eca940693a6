/// What a session is and where it goes, to write as SDP (RFC 8866).
public struct SessionDescription: Hashable, Sendable {
    /// Who made the description: o=.
    public struct Origin: Hashable, Sendable {
        /// Without spaces; "-" for nobody.
        var username: String
        /// With username and address it names the session.
        var sessionID: UInt64
        /// Greater in each later version of the description.
        var sessionVersion: UInt64
        /// The address of the host that made it.
        public var address: IPv4Address

        public init(username: String = "-", sessionID: UInt64, sessionVersion: UInt64 = 0, address: IPv4Address) {
            self.username = username
            self.sessionID = sessionID
            self.sessionVersion = sessionVersion
            self.address = address
        }
    }

    /// Where media go: c=.
    public struct Connection: Hashable, Sendable {
        /// Where they go: a host's address or a group's.
        public var address: IPv4Address
        /// How far a multicast group reaches; not written for a host's address.
        var timeToLive: UInt8

        public init(address: IPv4Address, timeToLive: UInt8 = 64) {
            self.address = address
            self.timeToLive = timeToLive
        }
    }

    /// A rate: b=.
    public enum Bandwidth: Hashable, Sendable {
        /// AS: kbit/s with the headers of UDP and IP (RFC 8866 §5.8, RFC 3550 §6.2); k is 1000.
        case applicationSpecific(kilobitsPerSecond: UInt64)
        /// TIAS: bit/s without any header below the media's own (RFC 3890).
        case transportIndependent(bitsPerSecond: UInt64)
    }

    /// One stream: m= and what belongs to it.
    public struct Media: Hashable, Sendable {
        /// The top level of the media type.
        public enum Kind: String, Hashable, Sendable {
            /// `application`: anything that is neither seen nor heard by itself.
            case video, audio, application
        }

        /// How media are carried (RFC 8866 §5.14).
        public enum Transport: String, Hashable, Sendable {
            /// RTP over UDP by the audio and video profile (RFC 3551).
            case rtpAVP = "RTP/AVP"
            /// Media straight in UDP; the formats are media subtypes.
            case udp
        }

        /// An encoding that the stream may have.
        public struct Format: Hashable, Sendable {
            /// An RTP payload type, or with `udp` a media subtype such as "MP2T".
            public var name: String
            /// The value of a=rtpmap behind the payload type: "MP2T/90000"; nil for none.
            var rtpmap: String?
            /// The value of a=fmtp behind the payload type; nil for none.
            var parameters: String?

            /// An RTP payload type with its encoding.
            public init(
                payloadType: UInt8, encoding: String, clockRate: Int64, channels: Int? = nil, parameters: String? = nil
            ) {
                name = String(payloadType)
                rtpmap = "\(encoding)/\(clockRate)" + (channels.map { "/\($0)" } ?? "")
                self.parameters = parameters
            }

            /// A media subtype.
            public init(subtype: String) { name = subtype }
        }

        var kind: Kind
        /// The UDP port that the media go to.
        public var port: UInt16
        /// How the media are carried.
        public var transport: Transport
        /// At least one; the first is the usual one.
        public var formats: [Format]
        /// Where it differs from the session's.
        var connection: Connection?
        /// Rates of the stream: b=.
        public var bandwidths: [Bandwidth] = []
        /// The values of further a= lines.
        public var attributes: [String] = []

        public init(kind: Kind, port: UInt16, transport: Transport, formats: [Format]) {
            self.kind = kind
            self.port = port
            self.transport = transport
            self.formats = formats
        }
    }

    /// Who made it: o=.
    public var origin: Origin
    /// What people call the session: s=.
    public var name: String
    /// A sentence about it: i=; nil for none.
    var information: String?
    /// Where media go that do not say it themselves: c=; nil when all do.
    public var connection: Connection?
    var bandwidths: [Bandwidth] = []
    /// The values of the session's a= lines.
    var attributes: [String] = []
    /// One for each stream: m=.
    public var media: [Media]

    public init(origin: Origin, name: String, media: [Media]) {
        self.origin = origin
        self.name = name
        self.media = media
    }

    /// The description, lines ended by CRLF in the order of RFC 8866 §5. The session has no bounds in time (t=0 0).
    /// Control characters in texts become spaces, and an empty name "-", so that every line stays one.
    public var text: String {
        var lines = ["v=0", "o=" + origin.value, "s=" + (name.isEmpty ? "-" : name)]
        if let information { lines.append("i=" + information) }
        if let connection { lines.append("c=" + connection.value) }
        lines += bandwidths.map { "b=" + $0.value }
        lines.append("t=0 0")
        lines += attributes.map { "a=" + $0 }
        lines += media.flatMap { $0.lines }
        return lines.map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
                + "\r\n"
        }.joined()
    }
}

extension SessionDescription.Origin {
    fileprivate var value: String {
        let user = username.split(whereSeparator: \.isWhitespace).joined(separator: "_")
        return "\(user.isEmpty ? "-" : user) \(sessionID) \(sessionVersion) IN IP4 \(address)"
    }
}

extension SessionDescription.Connection {
    fileprivate var value: String { "IN IP4 \(address)" + (address.isMulticast ? "/\(timeToLive)" : "") }
}

extension SessionDescription.Bandwidth {
    fileprivate var value: String {
        switch self {
        case .applicationSpecific(let rate): "AS:\(rate)"
        case .transportIndependent(let rate): "TIAS:\(rate)"
        }
    }
}

extension SessionDescription.Media {
    fileprivate var lines: [String] {
        let names = formats.map { $0.name }.joined(separator: " ")
        var lines = ["m=\(kind.rawValue) \(port) \(transport.rawValue) \(names)"]
        if let connection { lines.append("c=" + connection.value) }
        lines += bandwidths.map { "b=" + $0.value }
        for format in formats {
            if let rtpmap = format.rtpmap { lines.append("a=rtpmap:\(format.name) \(rtpmap)") }
            if let parameters = format.parameters { lines.append("a=fmtp:\(format.name) \(parameters)") }
        }
        return lines + attributes.map { "a=" + $0 }
    }
}
