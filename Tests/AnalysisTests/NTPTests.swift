@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

/// Exchanges between a client, a server and a capture, each with a clock of its own.
private struct Exchanges {
    let traffic = Traffic()
    let client = Traffic.endpoint(5, 123)
    let server = Traffic.endpoint(9, 123)
    /// Milliseconds by which the clocks are fast.
    var serverAhead = 35
    var clientAhead = 0
    var tapAhead = 0

    static func stamp(_ milliseconds: Int) -> UInt64 {
        NTPTimestamp(
            LocalInstant(
                nanoseconds: Traffic.start + Int64(milliseconds) * 1_000_000 - emulatedEpochUnixSeconds * 1_000_000_000)
        ).rawValue
    }

    func packet(_ mode: UInt8, _ origin: UInt64, _ receive: UInt64, _ transmit: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [4 << 3 | mode, 2, 6, 0xec] + [UInt8](repeating: 0, count: 20)
        for time in [origin, receive, transmit] { withUnsafeBytes(of: time.bigEndian) { bytes += $0 } }
        return bytes
    }

    func send(_ bytes: [UInt8], toServer: Bool, at milliseconds: Int) {
        traffic.send(
            bytes, from: toServer ? client : server, to: toServer ? server : client, at: Double(milliseconds + tapAhead)
        )
    }

    /// The capture is made at the client. The way takes 10 ms either way, the server 2 ms.
    func exchange(at time: Int, transmit: UInt64? = nil) {
        let asked = transmit ?? Self.stamp(time + clientAhead)
        send(packet(3, 0, 0, asked), toServer: true, at: time)
        let reply = packet(4, asked, Self.stamp(time + 10 + serverAhead), Self.stamp(time + 12 + serverAhead))
        send(reply, toServer: false, at: time + 22)
    }
}

@Suite("NTP by the clock of the capture")
struct NTPTests {
    private func near(_ value: Int64?, _ milliseconds: Int) -> Bool {
        abs((value ?? .max / 2) - Int64(milliseconds) * 1_000_000) <= 2
    }

    @Test("A random transmit timestamp is only a name for the request", arguments: [1, 12, 40])
    func random(count: Int) throws {
        let exchanges = Exchanges()
        let key = DrawKey(seed: UInt64(count))
        for index in 0..<count { exchanges.exchange(at: index * 2000, transmit: key.draw(Int64(index)) | 1) }
        let measured = try #require(exchanges.traffic.analyzer.finish().ntp.first)
        #expect(measured.exchanges == Int64(count) && measured.rejected.isEmpty)
        #expect(near(measured.offset?.minimum, 35) && near(measured.offset?.maximum, 35))
        #expect(near(measured.delay?.minimum, 20) && near(measured.delay?.maximum, 20))
        #expect(measured.clientOffset == nil)
    }

    @Test(
        "The capture's clock, the client's and the server's may all differ",
        arguments: [(-400, 0, 35), (300, 0, 35), (0, -700, 35), (5000, -5000, -120), (-900_000, 90_000, 0)])
    func clocks(tap: Int, client: Int, server: Int) throws {
        var exchanges = Exchanges()
        (exchanges.tapAhead, exchanges.clientAhead, exchanges.serverAhead) = (tap, client, server)
        for index in 0..<9 { exchanges.exchange(at: 1_000_000 + index * 1000) }
        let measured = try #require(exchanges.traffic.analyzer.finish().ntp.first)
        #expect(measured.exchanges == 9 && measured.rejected.isEmpty)
        #expect(near(measured.delay?.minimum, 20) && near(measured.delay?.maximum, 20))
        #expect(near(measured.offset?.minimum, server - tap) && near(measured.offset?.maximum, server - tap))
        #expect(near(measured.clientOffset?.minimum, server - client))
    }

    @Test("Symmetric peers are each other's client and server", arguments: [1000, 64_000])
    func symmetric(poll: Int) throws {
        let exchanges = Exchanges()
        // Each says when the other's last packet came, and what it said. The way takes 10 ms, the capture is at the client.
        var (lastThere, arrivedThere, lastHere, arrivedHere): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for round in 0..<12 {
            let time = round * poll
            let sent = Exchanges.stamp(time)
            exchanges.send(exchanges.packet(1, lastThere, arrivedHere, sent), toServer: true, at: time)
            (lastHere, arrivedThere) = (sent, Exchanges.stamp(time + 10 + 35))
            let reply = Exchanges.stamp(time + poll / 2 + 35)
            exchanges.send(
                exchanges.packet(2, lastHere, arrivedThere, reply), toServer: false, at: time + poll / 2 + 10)
            (lastThere, arrivedHere) = (reply, Exchanges.stamp(time + poll / 2 + 10))
        }
        let pairs = exchanges.traffic.analyzer.finish().ntp
        let first = try #require(pairs.first { $0.server == exchanges.server.address })
        let second = try #require(pairs.first { $0.server == exchanges.client.address })
        #expect(first.exchanges == 12 && second.exchanges == 11)
        #expect(near(first.offset?.minimum, 35) && near(first.offset?.maximum, 35))
        #expect(near(first.delay?.minimum, 20) && near(first.delay?.maximum, 20))
        // Captured where the other one is asked: nothing of the way is between.
        #expect(near(second.offset?.maximum, 0) && near(second.delay?.maximum, 0))
        #expect(pairs.allSatisfy { $0.rejected.isEmpty })
    }
}
