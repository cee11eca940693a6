import ClockSync
import Media
import Receiver
import Sender
import Timebase
import Wire

/// How a program is sent whose substreams have RTP sessions of their own.
public struct SessionsConfiguration: Sendable {
    /// What is one session's own.
    public struct Session: Sendable {
        /// The DSCP (RFC 2474), 0...63.
        public var differentiatedServices: UInt8
        /// The clock on which the substream is captured; nil: that of the sender's node.
        public var captureClock: Oscillator?
        /// Its links from the sender, in the order of its packets, in place of the shared ones; nil: those.
        public var forward: [NamedLink]?

        public init(
            differentiatedServices: UInt8 = 0, captureClock: Oscillator? = nil, forward: [NamedLink]? = nil
        ) {
            self.differentiatedServices = differentiatedServices
            self.captureClock = captureClock
            self.forward = forward
        }
    }

    /// Formats, latency and pacing.
    public var plan: SubstreamPlan
    /// One for each substream, in the program's order.
    public var sessions: [Session]

    public init(plan: SubstreamPlan, sessions: [Session]) {
        precondition(plan.sessions.count == sessions.count)
        self.plan = plan
        self.sessions = sessions
    }

    /// What receivers are told of each session.
    var descriptions: [SubstreamSession] {
        plan.sessions.map {
            SubstreamSession(
                format: $0.format, firstHold: $0.firstHold, disposableHold: $0.disposableHold,
                sendingDelay: plan.sendingDelay)
        }
    }

    /// Of a session's media in IP packets, all of the largest size (RFC 3550 §6.2).
    func bandwidth(_ session: Int) -> BitRate {
        let headers = UInt64(RTPHeader.fixedLength + Packet.networkHeaderLength)
        let packet = UInt64(SubstreamPlan.packetLimit + Packet.networkHeaderLength)
        let rate = plan.sessions[session].rate.bitsPerSecond
        return BitRate(bitsPerSecond: rate + rate / (packet - headers) * headers)
    }
}

extension WorldConfiguration {
    /// RTP sessions, or flows of the program: one for a multiplex.
    public var sessionCount: Int { sessions?.sessions.count ?? 1 }

    /// Hz of a session's RTP timestamps; nil without RTP.
    func clockRate(_ session: Int) -> UInt32? {
        if let sessions { return UInt32(sessions.plan.sessions[session].format.clockRate) }
        return carriage.hasRTP ? 90_000 : nil
    }

    /// UDP port of a session; its reports have the next one.
    public func port(_ session: Int) -> UInt16 { mediaPort + 2 * UInt16(session) }

    /// What a session is called: the substream's id, "program" for a multiplex.
    public func sessionID(_ session: Int) -> String {
        sessions == nil ? "program" : program.substreams[session].id
    }

    /// What its flow to a receiver is called in results: "tv.video", "program" for a multiplex.
    public func flowID(session: Int, receiver: Int) -> String {
        sessions == nil ? "program" : receivers[receiver].id + "." + sessionID(session)
    }

    /// The sending end of each session; none of a multiplex.
    func substreamSenders(_ flows: FlowTable) -> [SubstreamSender] {
        guard let sessions else { return [] }
        let key = DrawKey(seed: seed).named("sender.rtp")
        return sessions.sessions.indices.map { index in
            SubstreamSender(
                program, substream: index, plan: sessions.plan,
                traits: DatagramTraits(
                    flow: flows.media(index), differentiatedServices: sessions.sessions[index].differentiatedServices,
                    marks: classes.programTakesMarks ? [.media, .ecnCapable] : .media),
                key: key.named(sessionID(index)))
        }
    }
}
