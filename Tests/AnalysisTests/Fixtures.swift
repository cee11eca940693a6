@testable import Analysis
import Capture
import Foundation
import Timebase
import Wire

/// A folder that goes away with its last user.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("analysis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Feeds datagrams to an analyzer, without a file.
struct Traffic {
    let analyzer: CaptureAnalyzer
    /// 2020-09-13T12:26:40Z.
    static let start: Int64 = 1_600_000_000_000_000_000

    init(_ options: AnalysisOptions = AnalysisOptions()) { analyzer = CaptureAnalyzer(options) }

    static func endpoint(_ host: UInt8, _ port: UInt16) -> SocketAddress {
        SocketAddress(Endpoint(address: IPv4Address(10, 0, 0, host), port: port))
    }

    /// - Parameter milliseconds: after the start.
    func send(
        _ payload: [UInt8], from: SocketAddress = endpoint(1, 4000), to: SocketAddress = endpoint(2, 5004),
        at milliseconds: Double
    ) {
        let datagram = Datagram(
            instant: Instant(nanoseconds: Self.start + Int64((milliseconds * 1e6).rounded())), source: from,
            destination: to, differentiatedServices: 0, payloadCount: payload.count, ipCount: payload.count + 28)
        payload.withUnsafeBytes { analyzer.add(datagram, payload: $0.bytes) }
    }

    func rtp(
        _ number: Int, timestamp: Int, type: UInt8 = 0, ssrc: UInt32 = 7, size: Int = 160,
        from: SocketAddress = endpoint(1, 4000), to: SocketAddress = endpoint(2, 5004), at milliseconds: Double
    ) {
        let header = RTPHeader(
            payloadType: type, sequenceNumber: UInt16(truncatingIfNeeded: number),
            timestamp: UInt32(truncatingIfNeeded: timestamp), ssrc: ssrc)
        send(header.packet(payload: [UInt8](repeating: 0xd5, count: size)), from: from, to: to, at: milliseconds)
    }
}
