import Timebase

/// What a receiver that plays together with others reports of a packet: when it came, and when it is presented. The
/// extended report (RFC 3611 §2) that carries this block alone (RFC 7272 §6).
public struct SynchronizationReport: Hashable, Sendable {
    /// Who reports.
    public var ssrc: UInt32
    /// Of the packet's stream.
    public var payloadType: UInt8 = 0
    /// Those that play together: the media stream correlation identifier.
    public var group: UInt32
    /// The stream's source.
    public var source: UInt32
    /// When the packet came, by the receiver's synchronized clock.
    public var received = NTPTimestamp(rawValue: 0)
    /// The packet's.
    public var rtpTimestamp: UInt32 = 0
    /// When it is presented, by the same clock: the middle of that NTP timestamp; nil where nothing has been yet.
    public var presented: UInt32?

    /// Of extended reports (RFC 3611 §8.1).
    static let packetType: UInt8 = 207
    /// Of the block.
    private static let blockType: UInt8 = 12
    /// Words of the block behind its first.
    private static let blockLength: UInt16 = 7

    /// One of nothing yet.
    public init(ssrc: UInt32, source: UInt32, group: UInt32) {
        self.ssrc = ssrc
        self.source = source
        self.group = group
    }

    /// The first such block of an extended report; nil where there is none.
    public init?(_ packet: RTCPPacket) {
        guard case .other(Self.packetType, _, let body) = packet, let ssrc = body.bigEndian(UInt32.self, at: 0) else {
            return nil
        }
        var offset = 4
        while let header = body.bigEndian(UInt32.self, at: offset) {
            let end = offset + 4 * (Int(header & 0xffff) + 1)
            if header >> 24 == UInt32(Self.blockType), header & 0xffff == UInt32(Self.blockLength), end <= body.count {
                self.init(body, at: offset, ssrc: ssrc)
                return
            }
            offset = end
        }
        return nil
    }

    private init?(_ body: [UInt8], at offset: Int, ssrc: UInt32) {
        guard let header = body.bigEndian(UInt32.self, at: offset),
            let type = body.bigEndian(UInt8.self, at: offset + 4),
            let group = body.bigEndian(UInt32.self, at: offset + 8),
            let source = body.bigEndian(UInt32.self, at: offset + 12),
            let received = body.bigEndian(UInt64.self, at: offset + 16),
            let timestamp = body.bigEndian(UInt32.self, at: offset + 24),
            let presented = body.bigEndian(UInt32.self, at: offset + 28)
        else { return nil }
        self.init(ssrc: ssrc, source: source, group: group)
        payloadType = type >> 1
        self.received = NTPTimestamp(rawValue: received)
        rtpTimestamp = timestamp
        if header & 0x1_0000 != 0 { self.presented = presented }
    }

    /// The extended report.
    public var packet: RTCPPacket {
        var body: [UInt8] = []
        body.appendBigEndian(ssrc)
        // SPST 1: from a synchronization client.
        body += [Self.blockType, 1 << 4 | (presented == nil ? 0 : 1)]
        body.appendBigEndian(Self.blockLength)
        body += [payloadType << 1, 0, 0, 0]
        body.appendBigEndian(group)
        body.appendBigEndian(source)
        body.appendBigEndian(received.rawValue)
        body.appendBigEndian(rtpTimestamp)
        body.appendBigEndian(presented ?? 0)
        return .other(type: Self.packetType, count: 0, body: body)
    }
}

/// What all receivers that play together are told: when a packet is to be presented (RFC 7272 §7).
public struct SynchronizationSettings: Hashable, Sendable {
    /// Who tells.
    public var ssrc: UInt32
    /// The stream's source.
    public var source: UInt32
    /// Those that play together.
    public var group: UInt32
    /// When the packet came, by the clock of the receiver that is the farthest behind.
    public var received = NTPTimestamp(rawValue: 0)
    /// The packet's.
    public var rtpTimestamp: UInt32 = 0
    /// When it is to be presented.
    public var presented = NTPTimestamp(rawValue: 0)

    static let packetType: UInt8 = 211

    /// Some of nothing yet.
    public init(ssrc: UInt32, source: UInt32, group: UInt32) {
        self.ssrc = ssrc
        self.source = source
        self.group = group
    }

    /// Nil of any other packet.
    public init?(_ packet: RTCPPacket) {
        guard case .other(Self.packetType, _, let body) = packet, let ssrc = body.bigEndian(UInt32.self, at: 0),
            let source = body.bigEndian(UInt32.self, at: 4), let group = body.bigEndian(UInt32.self, at: 8),
            let received = body.bigEndian(UInt64.self, at: 12), let timestamp = body.bigEndian(UInt32.self, at: 20),
            let presented = body.bigEndian(UInt64.self, at: 24)
        else { return nil }
        self.init(ssrc: ssrc, source: source, group: group)
        self.received = NTPTimestamp(rawValue: received)
        rtpTimestamp = timestamp
        self.presented = NTPTimestamp(rawValue: presented)
    }

    /// The packet.
    public var packet: RTCPPacket {
        var body: [UInt8] = []
        body.appendBigEndian(ssrc)
        body.appendBigEndian(source)
        body.appendBigEndian(group)
        body.appendBigEndian(received.rawValue)
        body.appendBigEndian(rtpTimestamp)
        body.appendBigEndian(presented.rawValue)
        return .other(type: Self.packetType, count: 0, body: body)
    }
}

extension [UInt8] {
    fileprivate func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        try? span.bytes.bigEndian(type, at: offset)
    }
}
