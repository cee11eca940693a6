/// A session announcement (SAP, RFC 2974) with a session description in it: IPv4, neither encrypted, compressed nor
/// signed.
public struct SessionAnnouncement: Hashable, Sendable {
    /// Where announcements go: the group for sessions of global scope, at SAP's port.
    public static let destination = Endpoint(address: IPv4Address(224, 2, 127, 254), port: 9875)
    static let payloadType = Array("application/sdp".utf8) + [0]

    /// The session is taken back.
    public var isDeletion: Bool
    /// With the source it names this version of this announcement; not 0.
    var messageIDHash: UInt16
    /// The host that announces.
    var originatingSource: IPv4Address
    /// The SDP, UTF-8.
    public var payload: [UInt8]

    /// Announces a description. The hash is taken from its text.
    public init(_ description: SessionDescription) {
        isDeletion = false
        originatingSource = description.origin.address
        payload = Array(description.text.utf8)
        // FNV-1a, folded: any hash will do that changes with the text (RFC 2974 §3).
        let hash = payload.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let folded = UInt16(truncatingIfNeeded: hash >> 16 ^ hash)
        messageIDHash = folded == 0 ? 1 : folded
    }

    /// Reads an announcement.
    ///
    /// - Throws: `truncated`; `unsupportedVersion` unless the version is 1; `notRecognized` when it is IPv6, encrypted
    ///   or compressed, or announces something else than SDP.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        let flags: UInt8 = try bytes.bigEndian(at: 0)
        guard flags >> 5 == 1 else { throw .unsupportedVersion }
        guard flags & 0x13 == 0 else { throw .notRecognized }
        isDeletion = flags & 0x04 != 0
        messageIDHash = try bytes.bigEndian(at: 2)
        originatingSource = IPv4Address(rawValue: try bytes.bigEndian(at: 4))
        let start = 8 + 4 * Int(try bytes.bigEndian(UInt8.self, at: 1))
        guard start <= bytes.byteCount else { throw .truncated }
        let rest = bytes.extracting(start..<bytes.byteCount).copied
        // The type may be left out; SDP shows itself by its first line.
        if rest.starts(with: Self.payloadType) {
            payload = Array(rest.dropFirst(Self.payloadType.count))
        } else if rest.starts(with: Array("v=0".utf8)) {
            payload = rest
        } else {
            throw .notRecognized
        }
    }

    /// The UDP payload.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [isDeletion ? 0x24 : 0x20, 0]
        bytes.appendBigEndian(messageIDHash)
        bytes.appendBigEndian(originatingSource.rawValue)
        return bytes + Self.payloadType + payload
    }
}
