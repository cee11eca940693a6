import ClockSync
import Foundation
import Glibc
import Testing
import Timebase

/// A UDP socket on loopback at a port that was free, whose receives give up after a while.
private final class LoopbackSocket {
    let descriptor: Int32
    private(set) var port: UInt16 = 0
    /// Who sent what came last.
    private var peer = sockaddr_in()

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isNamed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(descriptor >= 0 && isNamed)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }

    /// What comes within so many milliseconds.
    func receive(within milliseconds: Int32) -> [UInt8]? {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, milliseconds) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 512)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &length)
            }
        }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Sends to a port, or back to where the last datagram came from.
    func send(_ bytes: [UInt8], to port: UInt16? = nil) {
        var address = port.map(Self.loopback) ?? peer
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// The machine's clock: emulated time zero is its date.
private func systemTime() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(nanoseconds: (Int64(time.tv_sec) - emulatedEpochUnixSeconds) * 1_000_000_000 + Int64(time.tv_nsec))
}

private enum Chronyd {
    /// They need a machine that does nothing else.
    static let isWanted = path != nil && ProcessInfo.processInfo.environment["RUBATO_CHRONYD"] != nil

    /// Any machine may make one exchange wait, but not all of so many.
    static let tries = 5

    static let path = ["/usr/sbin/chronyd", "/usr/local/sbin/chronyd"].first { (name: String) in
        access(name, X_OK) == 0
    }

    /// Starts it with directives, on no port but those that they name and without touching the machine's clock.
    static func start(_ options: [String], _ directives: [String], output: Pipe) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        let pidfile = FileManager.default.temporaryDirectory.appendingPathComponent("chronyd-\(UUID().uuidString).pid")
        process.arguments =
            ["-U", "-x"] + options + directives + ["cmdport 0", "bindcmdaddress /", "pidfile \(pidfile.path)"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }
}

/// Both ends of our exchanges against Debian's chronyd, over sockets on loopback. Wall clock and sockets are what this is
/// about; chronyd needs no privilege.
@Suite(
    "Interworking with chronyd",
    .enabled(if: Chronyd.isWanted, "RUBATO_CHRONYD is not set, or there is no chronyd"), .serialized)
struct ChronydTests {
    @Test("chronyd reads our server's offset to a millisecond", arguments: [250, -1_750] as [Int64])
    func server(milliseconds: Int64) throws {
        let readings = try read(Double(milliseconds) / 1e3) { try offsetRead(from: .milliseconds(milliseconds)) }
        #expect(readings.last.map { abs($0 - Double(milliseconds) / 1e3) < 1e-3 } == true, "\(readings)")
    }

    /// What a few tries read, in seconds, up to the first within a millisecond of what they should.
    private func read(_ expected: Double, _ measure: () throws -> Double) throws -> [Double] {
        var readings: [Double] = []
        repeat {
            readings.append(try measure())
        } while abs(readings[readings.count - 1] - expected) >= 1e-3 && readings.count < Chronyd.tries
        return readings
    }

    /// The offset, in seconds, that chronyd reads of a server of ours that is so much ahead of the machine's clock.
    private func offsetRead(from ahead: TimeSpan) throws -> Double {
        let socket = try LoopbackSocket()
        var server = NTPServer()
        let clock = LocalClock(Oscillator(offset: ahead))
        let output = Pipe()
        let process = try Chronyd.start(
            ["-Q", "-t", "20"], ["server 127.0.0.1 port \(socket.port) iburst maxsamples 1"], output: output)
        while process.isRunning {
            guard let request = socket.receive(within: 50) else { continue }
            server.handle(request.span.bytes, flow: 0, at: clock.reading(at: systemTime()))
            while case .send(let reply, _)? = server.pollOutput() { socket.send(reply) }
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        // "System clock wrong by 0.250049 seconds (ignored)": positive where the server is ahead.
        let seconds = text.split(separator: "wrong by ").last?.split(separator: " ").first.flatMap { Double($0) }
        return try #require(seconds, "\(text)")
    }

    @Test(
        "our clients set a clock by chronyd's to a millisecond",
        arguments: [
            { CristianClient(.init(interval: .milliseconds(200), probes: 4), start: $0) },
            { NTPClient(.init(polls: -4 ... -4), start: $0) },
            { RegressionClient(.init(poll: .milliseconds(100)), start: $0) },
        ] as [@Sendable (LocalInstant) -> any Agent])
    func client(_ make: @Sendable (LocalInstant) -> any Agent) throws {
        let errors = try read(0) { try errorLeft(by: make) }
        #expect(errors.last.map { abs($0) < 1e-3 } == true, "\(errors)")
    }

    /// The error, in seconds, of a clock that a client of ours has set by chronyd's in a dozen exchanges.
    private func errorLeft(by make: (LocalInstant) -> any Agent) throws -> Double {
        // Chronyd gets a port that was free a moment ago.
        let port = try LoopbackSocket().port
        let process = try Chronyd.start(
            ["-d"], ["port \(port)", "bindaddress 127.0.0.1", "allow 127.0.0.1", "local stratum 1"], output: Pipe())
        defer {
            // Not waitUntilExit(), which needs a run loop.
            kill(process.processIdentifier, SIGKILL)
            for _ in 0..<500 where process.isRunning { usleep(10_000) }
        }
        let socket = try LoopbackSocket()
        var clock = LocalClock(Oscillator(offset: .milliseconds(-640), partsPerBillion: 1))
        var agent = make(clock.reading(at: systemTime()))
        let end = systemTime() + .seconds(4)
        var (exchanges, isAdjusted) = (0, false)
        while systemTime() < end, exchanges < 12 {
            let wait = clock.instant(showing: agent.nextTimeout) - systemTime()
            let reply = socket.receive(within: Int32(min(max(wait.nanoseconds / 1_000_000, 0), 100)))
            let now = systemTime()
            if let reply { agent.handle(reply.span.bytes, flow: 0, at: clock.reading(at: now)) }
            if agent.nextTimeout <= clock.reading(at: now) { agent.handleTimeout(at: clock.reading(at: now)) }
            while let output = agent.pollOutput() {
                switch output {
                case .send(let bytes, _): socket.send(bytes, to: port)
                case .adjust(let adjustment):
                    clock.adjust(adjustment, at: now)
                    isAdjusted = true
                case .tell(.exchange): exchanges += 1
                case .tell: break
                }
            }
        }
        #expect(isAdjusted && exchanges >= 12)
        return Double(clock.error(at: systemTime()).nanoseconds) / 1e9
    }
}
