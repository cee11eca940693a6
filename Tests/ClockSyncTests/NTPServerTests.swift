@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("NTP server (RFC 5905 §8)")
struct NTPServerTests {
    private func hexadecimal(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// What a server answers at half a second past emulated time zero.
    private func answers(
        _ server: NTPServer, to request: [UInt8], flow: Int = 0
    ) -> [(bytes: [UInt8], flow: Int)] {
        var server = server
        server.handle(request.span.bytes, flow: flow, at: LocalInstant(nanoseconds: 500_000_000))
        var answers: [(bytes: [UInt8], flow: Int)] = []
        while let output = server.pollOutput() {
            if case .send(let bytes, let flow) = output { answers.append((bytes, flow)) }
        }
        return answers
    }

    /// chronyd's request: version 4, poll 6, precision 32, and 64 random bits for its time.
    static let request = "23 00 06 20" + String(repeating: "00", count: 36) + "deadbeef01234567"

    @Test("chronyd's request is answered byte for byte: the origin echoed, one time for receipt and reply")
    func golden() throws {
        let server = NTPServer(
            .init(
                stratum: 2, precision: -20, rootDelay: .milliseconds(500), rootDispersion: .milliseconds(250),
                referenceID: 0x0a00_0001))
        let answer = try #require(answers(server, to: hexadecimal(Self.request), flow: 3).first)
        #expect(answer.flow == 3)
        // 2020-01-01T00:00:00.5Z is e1b65f80.8 in NTP's era 0.
        #expect(
            answer.bytes
                == hexadecimal(
                    """
                    24 02 06 ec 00008000 00004000 0a000001 e1b65f80 80000000
                    deadbeef 01234567 e1b65f80 80000000 e1b65f80 80000000
                    """))
    }

    @Test("versions 1 to 4 are answered in their own version", arguments: 1...4 as ClosedRange<UInt8>)
    func versions(version: UInt8) {
        var request = hexadecimal(Self.request)
        request[0] = version << 3 | 3
        #expect(answers(NTPServer(), to: request).map { $0.bytes[0] } == [version << 3 | 4])
    }

    @Test(
        "other versions and modes, and what is too short, are not answered",
        arguments: ["2b", "03", "24", "21", "22", "25", "26", "27"])
    func others(first: String) {
        #expect(answers(NTPServer(), to: hexadecimal(first + Self.request.dropFirst(2))).isEmpty)
        #expect(answers(NTPServer(), to: Array(hexadecimal(Self.request).dropLast())).isEmpty)
    }

    @Test("the dispersion of a server that was set grows by 15 ppm, rounded up")
    func dispersion() throws {
        // Since 100,000 s: 1.5 s, and 7.5 us of the last half second, in units of 2^-16 s.
        let server = NTPServer(.init(lastSet: LocalInstant(nanoseconds: -100_000_000_000_000)))
        let answer = try #require(answers(server, to: hexadecimal(Self.request)).first)
        let packet = try NTPPacket(parsing: answer.bytes.span.bytes)
        #expect(packet.rootDispersion == 98_305)
        #expect(packet.referenceTimestamp.local(near: LocalInstant(nanoseconds: 0)).nanoseconds == -100_000_000_000_000)
    }
}
