import Analysis
import Capture
import Glibc
import Metrics
import Receiver
import Timebase
import Wire

/// Everything that reads bytes from outside, by its name: each takes any bytes at all.
let dissectors: [(name: String, read: @Sendable (RawSpan) -> Void)] = [
    ("capture", { capture($0) }),
    ("datagrams", { datagrams($0) }),
    ("packet", { packet($0) }),
    ("rtp", { _ = try? RTPHeader(parsing: $0) }),
    ("rtcp", { _ = try? RTCPCompound(parsing: $0, allowsReducedSize: true) }),
    ("sap", { _ = try? SessionAnnouncement(parsing: $0) }),
    ("sdp", { bytes in _ = MediaDescription.all(in: bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }) }),
    ("ntp", { if let packet = try? NTPPacket(parsing: $0) { _ = packet.originTimestamp.unixNanoseconds(near: 0) } }),
    ("signature", { _ = DatagramSignature($0, payloadCount: $0.byteCount) }),
    ("transport-stream", { transportStream($0) }),
    ("pes", { _ = try? PESHeader(parsing: $0) }),
    ("psi", { tables($0) }),
]

/// A receiver with and without RTP, for replays.
let playout = PlayoutAssumption(
    name: "fixed:60ms", rtp: ReceiverConfiguration(playoutDelay: .milliseconds(60), hasRTP: true),
    plain: ReceiverConfiguration(playoutDelay: .milliseconds(60), hasRTP: false))

/// The options of an analysis that leaves nothing out.
var everything: AnalysisOptions {
    var options = AnalysisOptions()
    options.playout = playout
    options.carriages = [5004: .rtp, 5006: .ts]
    return options
}

/// A file without a name, in memory.
func memoryFile() -> Int32 {
    var name = Array("/dev/shm/fuzzXXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    if descriptor >= 0 { unlink(name) }
    return descriptor
}

/// A whole file: read, measured, replayed, and matched against itself.
private func capture(_ bytes: RawSpan) {
    let descriptor = memoryFile()
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    let path = "/proc/self/fd/\(descriptor)"
    _ = try? CaptureAnalysis(sender: path, receiver: path, options: everything, removesClocks: true)
}

/// Datagrams one after the other, each with its length before it, between few hosts and ports.
private func datagrams(_ bytes: RawSpan) {
    let analyzer = CaptureAnalyzer(everything)
    var offset = 0
    var time: Int64 = 1_600_000_000_000_000_000
    let ports: [UInt16] = [5004, 5005, 5006, 123, 9875, 40_000, 40_001, 3478]
    while let length = try? bytes.bigEndian(UInt16.self, at: offset),
        let way = try? bytes.bigEndian(UInt8.self, at: offset + 2)
    {
        let start = min(offset + 3, bytes.byteCount)
        let end = min(start + Int(length % 1500), bytes.byteCount)
        func host(_ number: UInt8) -> SocketAddress {
            let endpoint = Endpoint(address: IPv4Address(10, 0, 0, number & 1), port: ports[Int(number >> 1 & 7)])
            return SocketAddress(endpoint)
        }
        let datagram = Datagram(
            instant: Instant(nanoseconds: time), source: host(way & 15), destination: host(way >> 4),
            differentiatedServices: 0, payloadCount: end - start + Int(length / 32_768), ipCount: end - start + 28)
        analyzer.add(datagram, payload: bytes.extracting(start..<end))
        time += way & 1 == 0 ? 20_000_000 : -3_000_000
        offset = end
    }
    _ = analyzer.finish()
}

/// A captured packet of any link type: the first byte chooses it.
private func packet(_ bytes: RawSpan) {
    let types: [UInt16] = [0, 1, 9, 12, 51, 101, 104, 108, 113, 166, 204, 228, 229, 276]
    guard let first = try? bytes.bigEndian(UInt8.self, at: 0) else { return }
    let frame = bytes.extracting(1..<bytes.byteCount)
    let network = LinkType(rawValue: types[Int(first) % types.count]).network(in: frame)
    guard case .ip(let offset) = network, offset <= frame.byteCount else { return }
    let inner = frame.extracting(offset..<frame.byteCount)
    guard let ip = try? IPPacket(parsing: inner, originalCount: inner.byteCount) else { return }
    guard ip.payloadOffset <= inner.byteCount else { return }
    let payload = inner.extracting(ip.payloadOffset..<inner.byteCount)
    _ = Encapsulation.inside(ipPayload: payload, number: ip.payloadProtocol)
    guard let header = try? UDPHeader(parsing: payload, datagramCount: ip.payloadCount) else { return }
    let datagram = payload.extracting(UDPHeader.length..<payload.byteCount)
    _ = Encapsulation.inside(
        udpPayload: datagram, count: header.payloadCount, source: header.sourcePort,
        destination: header.destinationPort)
    _ = SignallingMessage(datagram)?.media
}

private func transportStream(_ bytes: RawSpan) {
    var monitor = TransportStreamMonitor()
    var offset = 0
    while offset + TransportPacket.length <= bytes.byteCount {
        monitor.add(bytes, at: offset, instant: Instant(nanoseconds: Int64(offset) * 1000))
        offset += TransportPacket.length
    }
    monitor.finish()
    _ = monitor.measurements(point: "")
}

private func tables(_ bytes: RawSpan) {
    _ = try? PSISection(parsing: bytes)
    _ = try? ProgramAssociation(parsing: bytes)
    if let map = try? ProgramMap(parsing: bytes) {
        for stream in map.streams { for _ in DescriptorLoop(stream.descriptors) {} }
    }
    var assembler = SectionAssembler()
    for offset in stride(from: 0, to: bytes.byteCount, by: TransportPacket.length) {
        guard let header = TransportPacketHeader(bytes, at: offset) else { continue }
        assembler.take(header, bytes, at: offset)
        while assembler.next(bytes) { assembler.remember() }
    }
}
