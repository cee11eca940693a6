/// Protocols that a datagram's first bytes give away beyond reasonable doubt.
public enum DatagramSignature: Hashable, Sendable {
    /// RFC 8489: two zero bits, a length that fits, and the magic cookie.
    case stun
    /// DTLS 1.0 or 1.2 handshake (RFC 6347 §4.1), as DTLS-SRTP uses it (RFC 5764 §5.1.2).
    case dtlsHandshake
    /// An SRT handshake (draft-sharabayko-srt §3.2.1).
    case srtHandshake

    /// What the datagram is; nil for all that only might be one of these.
    ///
    /// - Parameter payloadCount: its whole length, more than there are bytes when the capture cut it.
    public init?(_ bytes: RawSpan, payloadCount: Int) {
        guard bytes.byteCount >= 13 else { return nil }
        let first: UInt8 = bytes.loaded(at: 0)
        if first < 4, bytes.byteCount >= 20, bytes.loaded(UInt32.self, at: 4) == 0x2112_a442,
            Int(bytes.loaded(UInt16.self, at: 2)) + 20 == payloadCount, payloadCount % 4 == 0
        {
            self = .stun
        } else if first == 22, bytes.loaded(UInt8.self, at: 1) == 0xfe, bytes.loaded(UInt8.self, at: 2) >= 0xfd,
            Int(bytes.loaded(UInt16.self, at: 11)) + 13 <= payloadCount
        {
            self = .dtlsHandshake
        } else if bytes.byteCount >= 64, bytes.loaded(UInt32.self, at: 0) == 0x8000_0000,
            [4, 5].contains(bytes.loaded(UInt32.self, at: 16)), Self.isHandshakeType(bytes.loaded(at: 36))
        {
            self = .srtHandshake
        } else {
            return nil
        }
    }

    /// Wave-a-hand, induction, conclusion, agreement, done, and refusals from 1000 on.
    private static func isHandshakeType(_ type: UInt32) -> Bool {
        type <= 1 || type >= 0xffff_fffd || (1000..<2000).contains(type)
    }
}
