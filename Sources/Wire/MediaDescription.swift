/// One stream of a session as its SDP describes it (RFC 8866), read leniently: what is not understood is passed over.
public struct MediaDescription: Hashable, Sendable {
    /// "video", "audio", "application", ... as m= writes it.
    var kind: String
    /// The UDP port that the media go to.
    public var port: UInt16
    /// "RTP/AVP", "RTP/SAVPF", "udp", ...
    public let transport: String
    /// The formats of m=, in its order.
    var formats: [String]
    /// By payload type; with the formats' own meaning where there is no rtpmap.
    public var encodings: [UInt8: RTPEncoding]
    /// fmtp by payload type.
    var parameters: [UInt8: String]
    /// Where media go, when it is an address and not a name.
    public var destination: IPAddress?
    /// Whether keys are exchanged for it (RFC 4568, RFC 5763), whatever its transport is called.
    var hasKeys = false
    /// Its part of a presentation's address (RFC 2326 §C.1.1); nil without one.
    var control: String?
    /// Its name within the session (RFC 5888), and whether it shares a port with others (RFC 9143).
    var identification: String?
    /// Where RTCP goes: a=rtcp, the next port, or with a=rtcp-mux the same.
    public var rtcpPort: UInt16

    /// Whether what comes there is RTP. Stored, as it is asked for every packet.
    public let isRTP: Bool
    private let hasSecureProfile: Bool
    /// Whether its payload is encrypted (RFC 3711, RFC 5764).
    public var isSecure: Bool { isRTP && (hasSecureProfile || hasKeys) }
    /// Whether a transport stream comes without RTP.
    var isPlainTransportStream: Bool {
        !isRTP && formats.contains { ["mp2t", "33"].contains($0.lowercased()) }
    }

    /// All streams that a text describes; none when it is no SDP.
    public static func all(in text: String) -> [MediaDescription] {
        var reader = Reader()
        // CRLF is one character in Swift: lines end at any newline.
        for line in text.split(whereSeparator: { $0.isNewline || $0 == "\0" }).prefix(10_000) { reader.take(line) }
        return reader.isSession ? reader.bundled.map(\.completed) : []
    }
}

extension MediaDescription {
    /// The same stream at another port and address, as they were agreed on later.
    public func moved(to address: SocketAddress) -> MediaDescription {
        var result = self
        (result.destination, result.port) = (address.address, address.port)
        result.rtcpPort = address.port == .max ? address.port : address.port + 1
        return result
    }

    /// Whether an address of a presentation's part, as SETUP has it, is this stream's.
    public func isControlled(by address: some StringProtocol) -> Bool {
        guard let control, control != "*", !control.isEmpty else { return false }
        return address == control || address.hasSuffix("/" + control) || address.hasSuffix(control)
    }

    /// What the streams at one port have in common, as receivers tell them apart by payload type.
    public static func together(_ all: [MediaDescription]) -> MediaDescription? {
        guard var result = all.last else { return nil }
        for other in all.dropLast().reversed() where other.isRTP == result.isRTP {
            result.encodings.merge(other.encodings) { mine, _ in mine }
            result.parameters.merge(other.parameters) { mine, _ in mine }
            result.hasKeys = result.hasKeys || other.isSecure
        }
        return result
    }

    private struct Reader {
        var isSession = false
        var sessionDestination: IPAddress?
        var sessionHasKeys = false
        var media: [MediaDescription] = []
        private var bundle: [Substring] = []

        /// The streams, those of a bundle at the port of its first (RFC 9143 §7.3): others may say 0, or whatever it was.
        var bundled: [MediaDescription] {
            let members = media.indices.filter { index in
                media[index].identification.map { bundle.contains(Substring($0)) } ?? false
            }
            guard members.count > 1, let first = members.first(where: { media[$0].port != 0 }) else { return media }
            var result = media
            for index in members where media[index].port == 0 { result[index].port = media[first].port }
            return result
        }

        mutating func take(_ line: Substring) {
            guard line.dropFirst().first == "=", let type = line.first else { return }
            let value = line.dropFirst(2)
            switch type {
            case "v": isSession = true
            case "m":
                guard var next = MediaDescription(mediaLine: value) else { return }
                next.destination = sessionDestination
                next.hasKeys = sessionHasKeys
                media.append(next)
            case "c":
                let address = MediaDescription.address(value)
                if media.isEmpty { sessionDestination = address } else { media[media.count - 1].destination = address }
            case "a":
                if media.isEmpty {
                    sessionHasKeys = sessionHasKeys || MediaDescription.isKey(value)
                    if value.hasPrefix("group:BUNDLE ") { bundle = value.split(separator: " ").dropFirst().map { $0 } }
                } else {
                    media[media.count - 1].take(attribute: value)
                }
            default: break
            }
        }
    }

    /// "video 5004/2 RTP/AVP 96 97"
    private init?(mediaLine: Substring) {
        let parts = mediaLine.split(separator: " ")
        guard parts.count >= 4, let port = UInt16(parts[1].prefix { $0 != "/" }) else { return nil }
        kind = String(parts[0])
        self.port = port
        transport = String(parts[2])
        isRTP = transport.contains("RTP/")
        hasSecureProfile = transport.contains("SAVP")
        formats = parts[3...].map { String($0) }
        encodings = [:]
        parameters = [:]
        control = nil
        identification = nil
        destination = nil
        rtcpPort = port == .max ? port : port + 1
    }

    private static func isKey(_ attribute: Substring) -> Bool {
        ["crypto:", "fingerprint:", "key-mgmt:"].contains { attribute.hasPrefix($0) }
    }

    private mutating func take(attribute: Substring) {
        if Self.isKey(attribute) { hasKeys = true }
        let parts = attribute.split(separator: ":", maxSplits: 1)
        guard let name = parts.first else { return }
        let value = parts.count > 1 ? parts[1] : ""
        let words = value.split(separator: " ", maxSplits: 1)
        switch name {
        case "rtpmap":
            guard words.count == 2, let type = UInt8(words[0]), type < 128 else { return }
            let fields = words[1].split(separator: "/")
            guard fields.count >= 2, let rate = UInt32(fields[1].prefix { $0.isNumber }), rate > 0 else { return }
            encodings[type] = RTPEncoding(name: String(fields[0]), clockRate: rate, kind: nil)
        case "fmtp":
            if words.count == 2, let type = UInt8(words[0]) { parameters[type] = String(words[1]) }
        case "rtcp": if let number = words.first.flatMap({ UInt16($0) }) { rtcpPort = number }
        case "rtcp-mux": rtcpPort = port
        case "control": control = String(value)
        case "mid": identification = String(value)
        default: break
        }
    }

    /// "IN IP4 239.1.1.1/127"; nil for a host's name and for the unspecified address.
    private static func address(_ value: Substring) -> IPAddress? {
        let parts = value.split(separator: " ")
        guard parts.count == 3 else { return nil }
        let text = parts[2].prefix { $0 != "/" }
        if parts[1] == "IP4" { return IPv4Address(text).flatMap { $0.rawValue == 0 ? nil : IPAddress($0) } }
        return IPAddress(ipv6: text).flatMap { $0.high | $0.low == 0 ? nil : $0 }
    }

    /// With the static payload types of its formats, and each encoding's kind.
    private var completed: MediaDescription {
        var result = self
        for type in formats.compactMap({ UInt8($0) }) where result.encodings[type] == nil {
            result.encodings[type] = RTPEncoding(staticPayloadType: type)
        }
        if let kind = RTPEncoding.Kind(rawValue: kind) {
            for type in result.encodings.keys { result.encodings[type]?.kind = kind }
        }
        return result
    }
}

extension IPAddress {
    /// An IPv6 address as RFC 4291 §2.2 writes it, without a zone; nil for anything else.
    init?(ipv6 text: some StringProtocol) {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        var groups: [[UInt16]] = []
        for half in halves {
            var part: [UInt16] = []
            for field in half.split(separator: ":", omittingEmptySubsequences: false) where !half.isEmpty {
                if let last = IPv4Address(field) {
                    part += [UInt16(last.rawValue >> 16), UInt16(truncatingIfNeeded: last.rawValue)]
                } else {
                    guard field.utf8.count <= 4, let group = UInt16(field, radix: 16) else { return nil }
                    part.append(group)
                }
            }
            groups.append(part)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        guard halves.count == 2 ? count < 8 : count == 8 else { return nil }
        let zeros = [UInt16](repeating: 0, count: 8 - count)
        let all = halves.count == 2 ? groups[0] + zeros + groups[1] : groups[0]
        self.init(
            high: all[..<4].reduce(0) { $0 << 16 | UInt64($1) }, low: all[4...].reduce(0) { $0 << 16 | UInt64($1) })
    }
}
