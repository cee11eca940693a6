/// The encoding of a payload type: what SDP's rtpmap says, or RFC 3551 for the static ones.
public struct RTPEncoding: Hashable, Sendable {
    /// The top level of its media type (RFC 8866 §5.14).
    public enum Kind: String, Hashable, Sendable {
        /// `application`: anything that is neither heard nor seen by itself.
        case audio, video, application
    }

    /// Hz; more than 0.
    public var clockRate: UInt32
    /// "H264", "MP2T", as RFC 3551 or the session's description writes it.
    public var name: String
    /// Nil when nothing tells.
    public var kind: Kind?

    public init(name: String, clockRate: UInt32, kind: Kind?) {
        self.name = name
        self.clockRate = clockRate
        self.kind = kind
    }

    /// What a static payload type means (RFC 3551 §6, tables 4 and 5); nil for the dynamic and the unassigned.
    public init?(staticPayloadType: UInt8) {
        let audio: [UInt8: (String, UInt32)] = [
            0: ("PCMU", 8000), 3: ("GSM", 8000), 4: ("G723", 8000), 5: ("DVI4", 8000), 6: ("DVI4", 16_000),
            7: ("LPC", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000), 10: ("L16", 44_100), 11: ("L16", 44_100),
            12: ("QCELP", 8000), 13: ("CN", 8000), 14: ("MPA", 90_000), 15: ("G728", 8000), 16: ("DVI4", 11_025),
            17: ("DVI4", 22_050), 18: ("G729", 8000),
        ]
        let video: [UInt8: String] = [25: "CelB", 26: "JPEG", 28: "nv", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"]
        if let (name, rate) = audio[staticPayloadType] {
            self.init(name: name, clockRate: rate, kind: .audio)
        } else if let name = video[staticPayloadType] {
            self.init(name: name, clockRate: 90_000, kind: .video)
        } else {
            return nil
        }
    }
}
