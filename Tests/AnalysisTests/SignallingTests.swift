@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

@Suite("What sessions say of their media within a capture")
struct SignallingTests {
    private func sdp(_ host: Int, _ media: String) -> String {
        "v=0\r\no=- 1 1 IN IP4 10.0.0.\(host)\r\ns=-\r\nc=IN IP4 10.0.0.\(host)\r\nt=0 0\r\n" + media
    }

    private func message(_ start: String, _ fields: [String], _ body: String = "") -> [UInt8] {
        let lines = [start] + fields + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"])
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    private func stream(_ traffic: Traffic) throws -> StreamMeasurements {
        for number in 0..<20 { traffic.rtp(number, timestamp: number * 320, type: 100, at: 500 + Double(number) * 20) }
        return try #require(traffic.analyzer.finish().streams.first)
    }

    @Test(
        "SIP's offers and answers describe what their senders will receive", arguments: ["INVITE", "ACK", "UPDATE", ""])
    func sip(method: String) throws {
        let traffic = Traffic()
        let start = method.isEmpty ? "SIP/2.0 200 OK" : "\(method) sip:b@example.org SIP/2.0"
        let body = sdp(2, "m=audio 5004 RTP/AVP 100\r\na=rtpmap:100 AMR-WB/16000\r\n")
        traffic.send(
            message(start, ["Via: SIP/2.0/UDP 10.0.0.2", "c: application/sdp"], body), from: Traffic.endpoint(2, 5060),
            to: Traffic.endpoint(1, 5062), at: 0)
        let stream = try stream(traffic)
        #expect(stream.encoding == "AMR-WB" && stream.clockRate == 16_000 && stream.clockSource == .sdp)
        #expect(stream.quality.interarrivalJitter?.maximum == 0)
    }

    @Test("SDP as one of several parts, and after the media")
    func parts() throws {
        let traffic = Traffic()
        for number in 0..<10 {
            traffic.rtp(number - 10, timestamp: (number - 10) * 320, type: 100, at: 300 + Double(number) * 20)
        }
        let body =
            "--x\r\nContent-Type: application/isup\r\n\r\nabc\r\n--x\r\nContent-Type: application/sdp\r\n\r\n"
            + sdp(2, "m=audio 5004 RTP/AVP 100\r\na=rtpmap:100 AMR-WB/16000\r\n") + "--x--\r\n"
        traffic.send(
            message("INVITE sip:b@x SIP/2.0", ["Content-Type: multipart/mixed;boundary=x"], body),
            from: Traffic.endpoint(2, 5060), to: Traffic.endpoint(1, 5060), at: 495)
        let stream = try stream(traffic)
        #expect(stream.encoding == "AMR-WB" && stream.quality.received == 30)
        #expect(stream.quality.interarrivalJitter?.maximum == 0)
    }

    @Test("RTSP: the description says what, SETUP's answers where, in any pieces", arguments: [1, 7, 100, 5000])
    func rtsp(piece: Int) throws {
        let traffic = Traffic()
        let (client, server) = (Traffic.endpoint(2, 40_000), Traffic.endpoint(1, 554))
        func send(_ bytes: [UInt8], _ from: SocketAddress, _ to: SocketAddress) {
            // The first piece must show what it is.
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + (start == 0 ? max(piece, 60) : piece))
                let part = Array(bytes[start..<end])
                part.withUnsafeBytes { traffic.analyzer.addSignalling((from, to), $0.bytes, isConnected: true) }
                start = end
            }
        }
        let media =
            "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\na=control:trackID=1\r\n"
            + "m=video 0 RTP/AVP 100\r\na=rtpmap:100 H264/16000\r\na=control:trackID=2\r\n"
        send(message("DESCRIBE rtsp://10.0.0.1/a RTSP/1.0", ["CSeq: 2", "User-Agent: something long"]), client, server)
        send(
            message(
                "RTSP/1.0 200 OK", ["CSeq: 2", "Content-Type: application/sdp", "Server: something long"], sdp(1, media)
            ),
            server, client)
        // The second stream first.
        for (sequence, track, port) in [(3, 2, 5004), (4, 1, 5006)] {
            let ports = "client_port=\(port)-\(port + 1)"
            send(
                message(
                    "SETUP rtsp://10.0.0.1/a/trackID=\(track) RTSP/1.0",
                    ["CSeq: \(sequence)", "Transport: RTP/AVP;unicast;\(ports)"]), client, server)
            send(
                message(
                    "RTSP/1.0 200 OK",
                    [
                        "CSeq: \(sequence)", "Transport: RTP/AVP;unicast;\(ports);server_port=6000-6001",
                        "Session: 1234567",
                    ]),
                server, client)
        }
        for number in 0..<20 {
            traffic.rtp(
                number, timestamp: number * 960, type: 97, ssrc: 9, to: Traffic.endpoint(2, 5006),
                at: 501 + Double(number) * 20)
        }
        for number in 0..<20 { traffic.rtp(number, timestamp: number * 320, type: 100, at: 500 + Double(number) * 20) }
        let streams = traffic.analyzer.finish().streams
        #expect(Set(streams.map(\.encoding)) == ["H264", "opus"] && streams.allSatisfy { $0.clockSource == .sdp })
        #expect(streams.first { $0.destination.port == 5004 }?.mediaKind == .video)
    }

    @Test("What only begins like a message is none, and random texts never trap")
    func hostile() {
        let traffic = Traffic()
        let key = DrawKey(seed: 3)
        let golden = message(
            "INVITE sip:b@x SIP/2.0", ["Content-Type: application/sdp"], sdp(2, "m=audio 5004 RTP/AVP 0\r\n"))
        var draw: Int64 = 0
        func number(_ limit: Int) -> Int {
            draw += 1
            return Int(key.draw(draw) % UInt64(limit))
        }
        for round in 0..<3000 {
            var bytes = golden
            for _ in 0...number(6) { bytes[number(bytes.count)] = UInt8(number(256)) }
            if round % 3 == 0 { bytes = Array(bytes.prefix(number(bytes.count))) }
            let from = Traffic.endpoint(UInt8(number(200)), UInt16(number(60_000)))
            bytes.withUnsafeBytes {
                traffic.analyzer.addSignalling((from, Traffic.endpoint(1, 5060)), $0.bytes, isConnected: round % 2 == 0)
            }
        }
        #expect(traffic.analyzer.finish().streams.isEmpty)
    }

    @Test("Several descriptions of one port: each payload type by its own", arguments: [true, false])
    func bundle(isBundleOnly: Bool) throws {
        var options = AnalysisOptions()
        options.descriptions = MediaDescription.all(
            in: sdp(
                2,
                "a=group:BUNDLE 0 1\r\nm=audio 5004 RTP/AVP 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
                    + "m=video \(isBundleOnly ? 0 : 5004) RTP/AVP 96 97\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
                    + "a=rtpmap:97 rtx/90000\r\n"))
        let traffic = Traffic(options)
        for number in 0..<60 {
            for (type, ticks, ssrc) in [(111, 960, 1), (96, 1800, 2), (97, 1800, 3)] {
                traffic.rtp(
                    number, timestamp: number * ticks, type: UInt8(type), ssrc: UInt32(ssrc),
                    at: Double(number) * 20 + Double(ssrc))
            }
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.map(\.encoding) == ["opus", "VP8", "rtx"])
        #expect(streams.map(\.kind) == [.rtp, .rtp, .rtx])
        #expect(streams.map(\.mediaKind) == [.audio, .video, .video])
        #expect(streams.map(\.clockRate) == [48_000, 90_000, 90_000])
    }
}

@Suite("Many sources between two ports")
struct ManySourcesTests {
    @Test("Streams interleaved in any number are all found", arguments: [5, 17, 64, 200], [0, 1, 2])
    func interleaved(count: Int, pattern: Int) {
        let traffic = Traffic()
        let key = DrawKey(seed: UInt64(count))
        var next = [Int](repeating: 0, count: count)
        for round in 0..<60 * count {
            // In turn, at random, or in turn with strangers between.
            let place = pattern == 1 ? Int(key.draw(Int64(round)) % UInt64(count)) : round % count
            traffic.rtp(
                next[place], timestamp: next[place] * 960, type: 111, ssrc: UInt32(place + 1),
                at: Double(next[place]) * 20 + Double(place) * 0.01)
            next[place] += 1
            if pattern == 2, round % 5 == 0 {
                traffic.rtp(round * 77, timestamp: round * 1_000_003, type: 111, ssrc: UInt32(1_000_000 + round), at: 0)
            }
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.count == count)
        #expect(streams.allSatisfy { $0.quality.lost == 0 && $0.quality.unique == Int64(next[Int($0.ssrc ?? 1) - 1]) })
    }
}
