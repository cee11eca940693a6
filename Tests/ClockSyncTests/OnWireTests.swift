@testable import ClockSync
import Testing
import Timebase
import Wire

/// A server that tells the truth and changes its answers.
private struct Mangler: Agent {
    var server = NTPServer()
    let change: @Sendable ([UInt8]) -> [[UInt8]]
    private var outputs: [AgentOutput] = []

    init(_ change: @escaping @Sendable ([UInt8]) -> [[UInt8]]) { self.change = change }

    var nextTimeout: LocalInstant { .distantFuture }
    mutating func handleTimeout(at now: LocalInstant) {}
    mutating func stop() {}

    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        server.handle(payload, flow: flow, at: now)
        while case .send(let bytes, let flow)? = server.pollOutput() {
            outputs += change(bytes).map { .send($0, flow: flow) }
        }
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }
}

@Suite("Sanity tests of replies (RFC 5905 §8)")
struct OnWireTests {
    typealias Change = @Sendable ([UInt8]) -> [[UInt8]]

    private static func set(_ at: Int, _ values: [UInt8]) -> Change {
        { bytes in
            var changed = bytes
            for (index, value) in values.enumerated() { changed[at + index] = value }
            return [changed]
        }
    }

    static let refused: [(String, Change)] = [
        ("origin not echoed", set(24, [0])), ("origin zero", set(24, Array(repeating: 0, count: 8))),
        ("receive timestamp not set", set(32, Array(repeating: 0, count: 8))),
        ("transmit timestamp not set", set(40, Array(repeating: 0, count: 8))), ("leap 3", set(0, [0xe4])),
        ("stratum 0", set(1, [0])), ("stratum 16", set(1, [16])), ("mode 3", set(0, [0x23])),
        ("mode 5", set(0, [0x25])), ("version 5", set(0, [0x2c])), ("root delay 32 s", set(4, [0, 32, 0, 0])),
        ("root dispersion 16 s", set(8, [0, 16, 0, 0])), ("set after it answered", set(16, [0xff])),
        ("cut short", { [Array($0.dropLast())] }), ("nothing", { _ in [] }),
    ]

    /// What each client makes of a server's answers in 60 s.
    private func exchanges(_ change: @escaping Change) -> [(exchanges: [ClockExchange], isAdjusted: Bool)] {
        let start = LocalInstant(nanoseconds: 0)
        let clients: [any Agent] = [
            NTPClient(.init(polls: 1...1), start: start), CristianClient(.init(interval: .seconds(2)), start: start),
        ]
        return clients.map { client in
            var bench = ClockBench(
                client, Oscillator(offset: .milliseconds(-50)), servers: [(Mangler(change), Oscillator())]
            ) { _, _, _, _ in .milliseconds(10) }
            bench.run(until: Instant(nanoseconds: 60_000_000_000), every: .seconds(60)) { _ in }
            return (bench.nodes[0].exchanges, bench.nodes[0].clock.isAdjusted)
        }
    }

    @Test("a reply that fails a test is put aside", arguments: refused.indices)
    func refusals(index: Int) {
        let (name, change) = Self.refused[index]
        for (exchanges, isAdjusted) in exchanges(change) { #expect(exchanges.isEmpty && !isAdjusted, "\(name)") }
    }

    @Test("a reply that is as the server wrote it is taken, and once only when it comes twice")
    func taken() {
        let once = exchanges { [$0] }
        let twice = exchanges { [$0, $0] }
        for index in once.indices {
            #expect(once[index].isAdjusted && once[index].exchanges.count >= 29)
            #expect(once[index].exchanges == twice[index].exchanges)
        }
    }

    @Test("the four timestamps are the clocks' own")
    func timestamps() throws {
        let exchange = try #require(exchanges { [$0] }[1].exchanges.first)
        #expect(exchange.requestSent.nanoseconds == 0 && exchange.requestReceived.nanoseconds == 60_000_000)
        #expect(exchange.replySent.nanoseconds == 60_000_000 && exchange.replyReceived.nanoseconds == 20_000_000)
        #expect(exchange.offset == .milliseconds(50) && exchange.delay == .milliseconds(20) && exchange.isUsed)
    }

    @Test("DENY and RSTR silence an NTP client, RATE slows it down", arguments: ["DENY", "RSTR", "RATE"])
    func kisses(code: String) {
        let kiss: Change = { bytes in
            var changed = bytes
            (changed[0], changed[1]) = (0xe4, 0)
            changed.replaceSubrange(12..<16, with: Array(code.utf8))
            return [changed]
        }
        var bench = ClockBench(
            NTPClient(.init(polls: 1...6), start: LocalInstant(nanoseconds: 0)), Oscillator(),
            servers: [(Mangler(kiss), Oscillator())]
        ) { _, _, _, _ in .milliseconds(10) }
        bench.run(until: Instant(nanoseconds: 600_000_000_000), every: .seconds(600)) { _ in }
        let requests = bench.sent / 2
        #expect(code == "RATE" ? requests > 8 && requests < 25 : requests == 1, "\(requests)")
    }

    @Test(
        "a step while a request is under way moves its time along, however small",
        arguments: [-200, -30, 30] as [Int64])
    func stepUnderWay(milliseconds: Int64) throws {
        var wire = OnWireProtocol()
        var clock = SteeredClock()
        let server = NTPServer()
        let sent = LocalInstant(nanoseconds: 10_000_000_000)
        let request = wire.request(poll: 6, at: sent, clock)
        let after = clock.adjust(.step(.milliseconds(milliseconds)), at: sent + .milliseconds(10))
        #expect(after == sent + .milliseconds(10 + milliseconds))
        var answering = server
        // The server is 7 ms ahead of what the clock shows now, and 20 ms away.
        answering.handle(request.span.bytes, flow: 0, at: sent + .milliseconds(27 + milliseconds))
        guard case .send(let reply, _)? = answering.pollOutput() else {
            Issue.record("no answer")
            return
        }
        let outcome = wire.handle(reply.span.bytes, flow: 0, at: sent + .milliseconds(40 + milliseconds), clock)
        guard case .accepted(let accepted) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(abs((accepted.exchange.delay - .milliseconds(40)).nanoseconds) <= 1)
        #expect(abs((accepted.exchange.offset - .milliseconds(7)).nanoseconds) <= 1)
        #expect(abs((accepted.sample.delay - .milliseconds(40)).nanoseconds) <= 1)
    }
}
