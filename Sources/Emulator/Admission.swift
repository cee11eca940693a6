import BasicContainers
import Metrics
import NetworkEmulation
import Sender
import Timebase

/// Sessions that ask for a guaranteed rate on every link of their way, and what became of them.
///
/// Admission is all or nothing, in two phases: every link is asked to hold the rate; when all do, it is theirs, and when
/// one refuses, those that hold it let it go. Sessions ask in the order of the scenario: cross traffic, then the program.
struct Admission: Sendable {
    struct Session: Sendable {
        let flow: UInt16
        let request: TokenBucketParameters
        /// The first link that refused, and why; nil: admitted.
        var refusal: (link: Int, reason: String)?
    }

    private(set) var program: Session?
    private(set) var others: [(link: String, number: Int, session: Session)] = []
    /// Of the program's one-way delay to each receiver, see ``delayBound(_:receiver:_:largestPacket:)``.
    private(set) var bounds: [TimeSpan?] = []

    /// Asks the links.
    init(_ configuration: WorldConfiguration, _ flows: FlowTable, _ topology: inout Topology) {
        for source in topology.crossTraffic {
            guard let request = source.configuration.reservation else { continue }
            let flow = flows.crossTraffic(source.number)
            let session = Self.ask(request, flow: flow, links: [source.link], &topology)
            others.append((topology.ids[source.link], source.number, session))
        }
        guard let request = configuration.reservation else { return }
        // From the sender on; links that several receivers share are asked once.
        var links: [Int] = []
        for link in topology.listing where topology.isForward[link] && !links.contains(link) { links.append(link) }
        program = Self.ask(request, flow: flows.media(0), links: links, &topology)
        // Before anything of a schedule has happened.
        bounds = configuration.receivers.indices.map {
            Self.delayBound(request, receiver: $0, topology, largestPacket: configuration.largestPacket)
        }
    }

    private static func ask(
        _ request: TokenBucketParameters, flow: UInt16, links: [Int], _ topology: inout Topology
    ) -> Session {
        var session = Session(flow: flow, request: request)
        var holding: [Int] = []
        for link in links where topology.rates[link] != nil {
            if let reason = topology.links[link].refusal(of: request.rate) {
                session.refusal = (link, reason)
                break
            }
            guard topology.links[link].reserve(flow: flow, rate: request.rate) else {
                session.refusal = (link, "it has no room")
                break
            }
            holding.append(link)
        }
        if session.refusal != nil {
            for link in holding { topology.links[link].release(flow: flow) }
        }
        return session
    }

    /// The latency-rate bound on the one-way delay of a flow that keeps to (b, R): b/R, and of each link the latency
    /// L/R + Lmax/C of its queue, with the longest delay and jitter behind it.
    ///
    /// - Returns: nil where a link layer adds bytes, or copies are made: then what was reserved is not what flows.
    private static func delayBound(
        _ request: TokenBucketParameters, receiver index: Int, _ topology: borrowing Topology, largestPacket: Int
    ) -> TimeSpan? {
        var bound = request.rate.transmissionTime(bits: UInt64(request.burst) * 8)
        for link in topology.paths[index] {
            guard topology.links[link].carriesAsSent else { return nil }
            bound += topology.links[link].longestDelay
            guard let rate = topology.rates[link] else { continue }
            bound += WeightedFairParameters.latency(
                rate: request.rate, packet: largestPacket, linkRate: rate, largestPacket: 1_500)
        }
        return bound
    }

    /// Whether the program may send.
    var admitsProgram: Bool { program?.refusal == nil }

    /// Whether a source of cross traffic may send, by its number on its link.
    func admits(_ number: Int, link: String) -> Bool {
        !others.contains { $0.link == link && $0.number == number && $0.session.refusal != nil }
    }
}

extension Link {
    /// Why a rate cannot be guaranteed here; nil if it can. A link without a rate has nothing to guarantee.
    func refusal(of rate: BitRate) -> String? {
        guard hasSteadyRate else { return "its rate changes, so that nothing can be guaranteed" }
        guard let free = unreservedRate else { return "its queue guarantees no rates: it needs wfq" }
        guard rate <= free else { return "\(free.bitsPerSecond) bit/s are free to guarantee" }
        return nil
    }
}

extension World {
    /// The sources of other people's traffic; those that were refused are silent.
    static func crossTraffic(
        _ topology: borrowing Topology, _ flows: FlowTable, _ admission: Admission
    ) -> RigidArray<CrossTraffic> {
        var sources = RigidArray<CrossTraffic>(capacity: topology.crossTraffic.count)
        for source in topology.crossTraffic {
            var traffic = CrossTraffic(
                source.configuration.pattern, flow: flows.crossTraffic(source.number),
                differentiatedServices: source.configuration.differentiatedServices, key: source.configuration.key)
            if !admission.admits(source.number, link: topology.ids[source.link]) { traffic.stop() }
            sources.append(traffic)
        }
        return sources
    }

    /// What became of the sessions that asked for a guaranteed rate.
    var reservations: [ReservationMeasurements] {
        var rows = admission.others.map { row($0.session, name: "\($0.link).cross_traffic.\($0.number)") }
        guard let program = admission.program else { return rows }
        for index in 0..<receivers.count {
            var row = row(program, name: "program")
            row.receiver = configuration.receivers[index].id
            if row.isAdmitted {
                row.boundNanoseconds = admission.bounds[index]?.nanoseconds
                row.worstDelayNanoseconds = ledger.receivers[index].quality.delays.maximum
                row.neededBurst = ledger.sender.burst?.burst
            }
            rows.append(row)
        }
        return rows
    }

    private func row(_ session: Admission.Session, name: String) -> ReservationMeasurements {
        var row = ReservationMeasurements()
        row.flow = name
        row.bitsPerSecond = Int64(session.request.rate.bitsPerSecond)
        row.burst = Int64(session.request.burst)
        row.isAdmitted = session.refusal == nil
        row.refusedLink = session.refusal.map { topology.ids[$0.link] }
        row.refusedReason = session.refusal?.reason
        return row
    }
}
