import ClockSync
import Metrics
import Sender
import Timebase

/// The sending node: the program's sender, its clock, and what is noted of what it sent.
struct SenderNode: Sendable {
    var program: ProgramSender
    let clock: Oscillator
    private(set) var rate = RateMeter()
    private(set) var monitor: TransportStreamMonitor
    private(set) var firstSent: Instant?
    private(set) var latestSent = Instant.zero

    init(_ configuration: WorldConfiguration) {
        clock = configuration.senderClock
        monitor = TransportStreamMonitor(constantRate: configuration.constantRate)
        program = ProgramSender(
            Multiplexer(configuration.program, plan: configuration.plan), rtp: configuration.packetizer,
            interleaving: configuration.interleaving,
            traits: DatagramTraits(
                flow: World.programFlow, differentiatedServices: configuration.classes.program,
                marks: configuration.classes.programTakesMarks ? .ecnCapable : []),
            zero: clock.reading(at: .zero))
    }

    var nextTimeout: Instant { instant(program.nextTimeout, clock) }

    /// The program's timeline, which the true time `now` has reached by the sender's clock.
    func timeline(at now: Instant) -> TimeSpan { clock.reading(at: now) - program.zero }

    /// The true instant at which something on the program's timeline was captured.
    func captureInstant(_ timeline: TimeSpan) -> Instant { clock.instant(showing: program.zero + timeline) }

    mutating func note(multiplexed payload: RawSpan, at now: Instant) {
        monitor.add(packetsIn: payload, from: program.headerLength, instant: now)
    }

    mutating func note(sent packet: Packet) {
        rate.add(bytes: Int(packet.length), at: packet.sent)
        firstSent = firstSent ?? packet.sent
        latestSent = packet.sent
    }

    /// Nothing more will be sent.
    mutating func finish() { monitor.finish() }
}
