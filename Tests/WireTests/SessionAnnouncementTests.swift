import Testing
@testable import Wire

@Suite("SDP and SAP (RFC 8866, RFC 2974)")
struct SessionAnnouncementTests {
    static let description = {
        var video = SessionDescription.Media(
            kind: .video, port: 5004, transport: .rtpAVP,
            formats: [.init(payloadType: 33, encoding: "MP2T", clockRate: 90_000)])
        video.bandwidths = [.transportIndependent(bitsPerSecond: 5_000_000)]
        video.attributes = ["sendonly"]
        var audio = SessionDescription.Media(
            kind: .audio, port: 5006, transport: .rtpAVP,
            formats: [.init(payloadType: 96, encoding: "L16", clockRate: 48_000, channels: 2, parameters: "x=1")])
        audio.connection = .init(address: IPv4Address(239, 1, 2, 3), timeToLive: 16)
        var description = SessionDescription(
            origin: .init(sessionID: 1, sessionVersion: 2, address: IPv4Address(10, 0, 0, 1)), name: "evening dsl",
            media: [
                video, audio, .init(kind: .video, port: 5008, transport: .udp, formats: [.init(subtype: "MP2T")]),
            ])
        description.information = "two streams"
        description.connection = .init(address: IPv4Address(10, 0, 1, 1))
        description.bandwidths = [.applicationSpecific(kilobitsPerSecond: 6_000)]
        description.attributes = ["tool:rubato"]
        return description
    }()

    func parsed(_ bytes: [UInt8]) throws(ParseError) -> SessionAnnouncement {
        try SessionAnnouncement(parsing: bytes.span.bytes)
    }

    @Test func theLinesStandInTheOrderOfTheStandard() {
        let lines = """
            v=0
            o=- 1 2 IN IP4 10.0.0.1
            s=evening dsl
            i=two streams
            c=IN IP4 10.0.1.1
            b=AS:6000
            t=0 0
            a=tool:rubato
            m=video 5004 RTP/AVP 33
            b=TIAS:5000000
            a=rtpmap:33 MP2T/90000
            a=sendonly
            m=audio 5006 RTP/AVP 96
            c=IN IP4 239.1.2.3/16
            a=rtpmap:96 L16/48000/2
            a=fmtp:96 x=1
            m=video 5008 udp MP2T

            """
        #expect(Self.description.text == lines.split(separator: "\n").map { $0 + "\r\n" }.joined())
    }

    @Test func textsCannotBecomeLines() {
        var description = Self.description
        description.name = "a\r\nm=video 1 udp x\u{0}\n"
        description.origin.username = "two words"
        #expect(description.text.contains("\r\ns=a  m=video 1 udp x  \r\n"))
        #expect(description.text.contains("o=two_words 1 2 "))
        description.name = ""
        #expect(description.text.contains("\r\ns=-\r\n"))
    }

    @Test func anAnnouncementHasTheBytesOfTheStandard() throws {
        var announcement = SessionAnnouncement(Self.description)
        announcement.messageIDHash = 0xabcd
        let expected =
            hex("20 00 ab cd 0a 00 00 01") + Array("application/sdp".utf8) + [0] + Array(Self.description.text.utf8)
        #expect(announcement.bytes == expected)
        #expect(try parsed(expected) == announcement)
        announcement.isDeletion = true
        #expect(announcement.bytes[0] == 0x24)
        #expect(try parsed(announcement.bytes) == announcement)
    }

    @Test func theHashFollowsTheText() {
        var description = Self.description
        description.origin.sessionVersion += 1
        let (old, new) = (SessionAnnouncement(Self.description), SessionAnnouncement(description))
        #expect(old.messageIDHash != 0 && old.messageIDHash != new.messageIDHash)
        #expect(old.messageIDHash == SessionAnnouncement(Self.description).messageIDHash)
    }

    @Test func signedAndUntypedAnnouncementsAreRead() throws {
        let signed = hex("20 01 00 01 0a 00 00 01 20 00 00 00") + Array("v=0\r\n".utf8)
        #expect(try parsed(signed).payload == Array("v=0\r\n".utf8))
        for flags: UInt8 in [0x21, 0x22, 0x30] {
            #expect(throws: ParseError.notRecognized) {
                try parsed(([flags] + signed.dropFirst()))
            }
        }
        #expect(throws: ParseError.unsupportedVersion) {
            try parsed(([0x40] + signed.dropFirst()))
        }
        for count in 0..<12 {
            #expect(throws: ParseError.truncated) {
                try parsed(Array(signed.prefix(count)))
            }
        }
    }
}
