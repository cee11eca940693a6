import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

@Suite("What streams are called")
struct LabelTests {
    private func options(_ sdp: String) -> AnalysisOptions {
        var options = AnalysisOptions()
        options.descriptions = MediaDescription.all(in: "v=0\r\nc=IN IP4 10.0.0.2\r\n" + sdp)
        return options
    }

    @Test(
        "Repair and encryption are told by the description",
        arguments: [
            ("rtx/90000", "RTP/AVPF", "", StreamMeasurements.Kind.rtx), ("ulpfec/90000", "RTP/AVP", "", .fec),
            ("flexfec-03/90000", "RTP/AVP", "", .fec), ("1d-interleaved-parityfec/90000", "RTP/AVP", "", .fec),
            ("H264/90000", "RTP/SAVP", "", .srtp), ("H264/90000", "UDP/TLS/RTP/SAVPF", "", .srtp),
            ("H264/90000", "RTP/AVP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n", .srtp),
            ("H264/90000", "RTP/AVP", "", .rtp),
        ])
    func described(map: String, transport: String, attribute: String, kind: StreamMeasurements.Kind) throws {
        let traffic = Traffic(
            options("m=video 5004 \(transport) 97\r\na=rtpmap:97 \(map)\r\n\(attribute)"))
        for number in 0..<20 { traffic.rtp(number, timestamp: number * 3600, type: 97, at: Double(number) * 40) }
        // What comes to the RTCP port and cannot be read is malformed, but of an encrypted session it is not.
        traffic.send([0x80, 200, 0, 100, 0, 0, 0, 7], to: Traffic.endpoint(2, 5005), at: 900)
        let analysis = traffic.analyzer.finish()
        #expect(analysis.streams.map(\.kind) == [kind])
        #expect(analysis.streams.first?.clockSource == .sdp)
        #expect(analysis.malformedRTCP == (kind == .srtp ? 0 : 1))
    }

    @Test("Keys of the whole session count for each of its streams")
    func sessionKeys() {
        let media = MediaDescription.all(
            in: "v=0\na=fingerprint:sha-256 AA\nm=audio 5004 RTP/AVP 0\nm=video 5006 RTP/AVP 96\nm=data 5008 udp x\n")
        #expect(media.map(\.isSecure) == [true, true, false])
    }

    /// A datagram of transport packets, each of so many bytes, of one PID.
    private func transportPackets(_ count: Int, length: Int, _ datagram: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for place in 0..<count {
            let counter = UInt8((datagram * count + place) & 15)
            bytes += [0x47, 0x01, 0x00, 0x10 | counter]
            bytes += [UInt8](repeating: UInt8(place), count: 184)
            bytes += [UInt8](repeating: 0xee, count: length - 188)
        }
        return bytes
    }

    @Test("Transport streams of 188 and 204 bytes, any whole number of packets", arguments: [188, 204], [1, 3, 7])
    func transportStreams(length: Int, count: Int) throws {
        let traffic = Traffic()
        for number in 0..<30 {
            let packets = transportPackets(count, length: length, number)
            traffic.send(packets, to: Traffic.endpoint(2, 1234), at: Double(number) * 10)
            let header = RTPHeader(
                payloadType: 33, sequenceNumber: UInt16(number), timestamp: UInt32(number) * 900, ssrc: 5)
            traffic.send(header.packet(payload: packets), to: Traffic.endpoint(2, 2000), at: Double(number) * 10 + 1)
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.map(\.kind) == [.transportStream, .rtp])
        for stream in streams {
            let transport = try #require(stream.transportStream)
            #expect(transport.packetLength == length && transport.packets == Int64(30 * count))
            #expect(transport.pids.map(\.pid) == [0x100])
            #expect(transport.measurements.tr101290.first { $0.name == "Continuity_count_error" }?.count == 0)
        }
    }

    @Test("SMPTE 2022-1 FEC is told by its ports and its packets' length; another stream there is not")
    func parity() {
        let traffic = Traffic()
        for number in 0..<60 {
            let header = RTPHeader(
                payloadType: 33, sequenceNumber: UInt16(number), timestamp: UInt32(number) * 900, ssrc: 5)
            let media = header.packet(payload: transportPackets(7, length: 188, number))
            traffic.send(media, to: Traffic.endpoint(2, 2000), at: Double(number) * 10)
            for (port, size) in [(2002, 16 + 1316), (2004, 16 + 1316), (2006, 16 + 1316), (2008, 700)] {
                traffic.rtp(
                    number, timestamp: number * 900, type: 96, ssrc: UInt32(port), size: size,
                    to: Traffic.endpoint(2, UInt16(port)), at: Double(number) * 10 + Double(port - 2000) * 0.1)
            }
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.map(\.destination.port) == [2000, 2002, 2004, 2006, 2008])
        #expect(streams.map(\.kind) == [.rtp, .fec, .fec, .rtp, .rtp])
    }

    @Test("What is not known is nil, with a note that says why")
    func notes() throws {
        let traffic = Traffic()
        for number in 0..<12 { traffic.rtp(number, timestamp: number * 3600, type: 99, at: Double(number) * 40) }
        for number in 0..<12 {
            traffic.send(
                transportPackets(7, length: 188, number), to: Traffic.endpoint(2, 1234), at: Double(number) * 10)
        }
        for stream in traffic.analyzer.finish().streams {
            let notes = stream.notes.joined(separator: "\n")
            #expect(stream.encoding != nil || notes.contains("encoding unknown"))
            #expect(stream.clockRate != nil || notes.contains("clock rate unknown") || notes.contains("no timestamps"))
            #expect(stream.quality.lost != nil || notes.contains("does not number"))
            #expect(
                stream.quality.interarrivalJitter != nil || notes.contains("jitter")
                    || notes.contains("clock rate unknown"))
            #expect(
                stream.quality.pdv != nil || notes.contains("delay variation") || notes.contains("clock rate unknown"))
            #expect(stream.quality.delayFactor != nil || notes.contains("no MDI"))
            #expect(
                stream.quality.clockDriftPartsPerMillion != nil || notes.contains("clock drift")
                    || notes.contains("clock rate unknown"))
        }
    }
}
