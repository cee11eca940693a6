import Emulator
import Media
import Sender
import Timebase

/// When the units of a program are sent whose substreams have sessions of their own.
enum SubstreamPolicy {
    static func plan(
        _ program: Program, _ sender: ExperimentScenario.Sender
    ) throws(MultiplexPolicy.Refusal) -> SubstreamPlan {
        let demand = ProgramDemand(program)
        if let latency = sender.latency, latency < demand.longestHold {
            throw MultiplexPolicy.Refusal(
                path: "sender.latency", value: "\(latency.nanoseconds / 1_000_000)ms",
                expected:
                    "at least the \(demand.longestHold.nanoseconds / 1_000_000)ms that \(MultiplexPolicy.holdReason(demand))",
                remedy: "write latency: auto")
        }
        return SubstreamPlan(
            program, demand: demand, latency: sender.latency ?? demand.longestHold,
            pacing: sender.pacing == .constant ? .spread : .burst)
    }

    /// What a World of sessions has in place of a multiplex: nothing is sent by it.
    static func idleMultiplex(_ program: Program, _ plan: SubstreamPlan) -> MultiplexPlan {
        let rate = plan.sessions.reduce(0) { $0 + $1.rate.bitsPerSecond }
        return MultiplexPlan(
            rate: BitRate(bitsPerSecond: max(MultiplexPolicy.packetBits, rate)), sendsNullPackets: false,
            leads: program.substreams.map { _ in MultiplexPolicy.window }, latency: plan.latency)
    }
}
