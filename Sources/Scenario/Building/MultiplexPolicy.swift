import Emulator
import Media
import Sender
import Timebase

/// How fast and how early a program is multiplexed when the scenario leaves it open.
enum MultiplexPolicy {
    /// How long before its decoding time a unit may be sent: short enough for a live programme, long enough that
    /// pictures of several times the mean size do not set the rate alone.
    static let window = TimeSpan.milliseconds(200)
    /// Tried in turn where the rate is given and too low for the one before; the last is the longest that a decoder
    /// must hold (ISO/IEC 13818-1 §2.4.2.3: at most one second in the buffers).
    static let windows: [TimeSpan] = [window, .milliseconds(300), .milliseconds(450), .milliseconds(700), .seconds(1)]
    /// Main buffer of an audio decoder, bytes (ISO/IEC 13818-1 §2.4.2.3, BS_n).
    static let audioBuffer: UInt64 = 3_584
    /// How long a datagram of a variable rate may wait to be filled.
    static let longestWait = TimeSpan.milliseconds(20)
    /// Bits of a transport packet.
    static let packetBits: UInt64 = 1_504
    static let highestRate = BitRate(bitsPerSecond: 10_000_000_000)

    /// Why a program cannot be multiplexed as asked; `remedy` says what to write instead.
    struct Refusal: Error {
        var path: String
        var value: String
        var expected: String
        var remedy: String
    }

    static func plan(_ program: Program, _ sender: ExperimentScenario.Sender) throws(Refusal) -> MultiplexPlan {
        let demand = ProgramDemand(program)
        if let latency = sender.latency, latency <= demand.longestHold {
            throw Refusal(
                path: "sender.latency", value: "\(latency.nanoseconds / 1_000_000)ms",
                expected:
                    "more than the \(demand.longestHold.nanoseconds / 1_000_000)ms that \(holdReason(demand))",
                remedy: "write latency: auto")
        }
        switch sender.muxRate {
        case .automatic, .variable:
            return try automatic(program, demand, sender, window: window)
        case .constant(let rate):
            for window in windows {
                let (leads, latency) = timing(program, demand, sender, window: window)
                let feasibility = MultiplexFeasibility(
                    program, leads: leads, latency: latency, packetsPerDatagram: sender.transportPacketsPerDatagram)
                if feasibility.isFeasible(rate) {
                    return finish(rate, leads, latency, sender)
                }
            }
            let longest = windows[windows.count - 1]
            let least = try automatic(program, demand, sender, window: longest)
            throw Refusal(
                path: "sender.mux_rate", value: "\(rate.bitsPerSecond / 1_000) kbit/s",
                expected:
                    "at least \(least.rate.bitsPerSecond / 1_000) kbit/s, so that every unit is there by its decoding time",
                remedy: "write mux_rate: auto")
        }
    }

    /// What it is that lets no unit be sent before so long after its capture time.
    static func holdReason(_ demand: ProgramDemand) -> String {
        demand.longestFilling > demand.longestReordering
            ? "filling a packet of the call takes" : "the order of the pictures costs"
    }

    private static func automatic(
        _ program: Program, _ demand: ProgramDemand, _ sender: ExperimentScenario.Sender, window: TimeSpan
    ) throws(Refusal) -> MultiplexPlan {
        let (leads, latency) = timing(program, demand, sender, window: window)
        let mean = program.substreams.indices.reduce(0) { $0 + demand.meanRate($1).bitsPerSecond }
        let feasibility = MultiplexFeasibility(
            program, leads: leads, latency: latency, packetsPerDatagram: sender.transportPacketsPerDatagram,
            longestWait: sender.muxRate == .variable ? longestWait : .zero)
        guard let rate = feasibility.leastRate(from: BitRate(bitsPerSecond: mean), ceiling: highestRate) else {
            if let fault = fault(ofTimesIn: program) { throw fault }
            throw Refusal(
                path: "program", value: "\(mean / 1_000) kbit/s of media",
                expected: "units that can be sent between capture and decoding at 10 Gbit/s",
                remedy: "lower the bit rates, or write a larger sender.latency")
        }
        return finish(rate, leads, latency, sender)
    }

    /// Of a file whose times cannot be right, where that begins: no rate sends what is due long before what it follows.
    private static func fault(ofTimesIn program: Program) -> Refusal? {
        for index in program.substreams.indices {
            var source = program.source(index)
            var latest: MediaUnit?
            while let unit = source.next() {
                defer { latest = unit }
                guard let before = latest, unit.decode + MediaClock.ninetyKilohertz < before.decode else { continue }
                let back = MediaClock.span(ticks: before.decode - unit.decode, rate: MediaClock.ninetyKilohertz)
                return Refusal(
                    path: "program",
                    value: "decoding times of \(program.substreams[index].id) that go back by "
                        + "\(back.nanoseconds / 1_000_000)ms at its unit \(unit.index)",
                    expected: "decoding times that go on",
                    remedy: "the file is damaged there: have it written anew from its source, or cut that part out")
            }
        }
        return nil
    }

    private static func finish(
        _ rate: BitRate, _ leads: [TimeSpan], _ latency: TimeSpan, _ sender: ExperimentScenario.Sender
    ) -> MultiplexPlan {
        var plan = MultiplexPlan(
            rate: rate, sendsNullPackets: sender.muxRate != .variable, leads: leads, latency: latency,
            packetsPerDatagram: sender.transportPacketsPerDatagram)
        plan.longestWait = longestWait
        return plan
    }

    /// Leads and latency for a window. Audio is sent no earlier than its decoder's small buffer can hold.
    private static func timing(
        _ program: Program, _ demand: ProgramDemand, _ sender: ExperimentScenario.Sender, window: TimeSpan
    ) -> (leads: [TimeSpan], latency: TimeSpan) {
        let leads = program.substreams.indices.map { index in
            let rate = demand.meanRate(index)
            guard program.substreams[index].kind == .audio, rate.bitsPerSecond > 0 else { return window }
            let unit = MediaClock.span(
                ticks: program.substreams[index].usualDuration, rate: MediaClock.ninetyKilohertz)
            // Never less than two units: what is being filled, and what is being played.
            return min(window, max(rate.transmissionTime(bits: audioBuffer * 8), unit + unit))
        }
        return (leads, sender.latency ?? window + demand.longestHold)
    }
}
