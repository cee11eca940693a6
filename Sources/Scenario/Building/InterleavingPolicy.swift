import Media
import Protection
import Sender
import Timebase

/// How long an interleaver's latency lasts. The largest block at the lowest rate that carries a program's tables comes to
/// 36 minutes: far from what would wrap an RTP timestamp.
enum InterleavingPolicy {
    /// - Parameter program: what the multiplex is planned on.
    static func configuration(
        _ interleave: ExperimentScenario.Interleave, _ program: Program, _ plan: MultiplexPlan
    ) -> InterleavingConfiguration {
        let block = InterleavingBlock(rows: interleave.rows, columns: interleave.columns)
        let count = 2 * block.lead
        let full = plan.rate.transmissionTime(
            bits: UInt64(count * plan.packetsPerDatagram) * MultiplexPolicy.packetBits)
        var configuration = InterleavingConfiguration(block: block, leastSpan: full, longestSpan: full)
        if plan.sendsNullPackets {
            // Sending times are whole nanoseconds, rounded down: one may be lost at either end.
            configuration.longestSpan += .nanoseconds(2)
        } else {
            // Datagrams are full, or sent because the first of their packets has waited for so long.
            configuration.leastSpan = min(full, plan.longestWait * Int64(count))
            configuration.longestSpan = longestSpan(program, plan, configuration)
        }
        return configuration
    }

    /// The longest time from one datagram to the one 2 × lead after it when the multiplex's rate is variable.
    ///
    /// Found by multiplexing the program once: a bound on the time between two datagrams (40 ms until the next clock
    /// reference and 20 ms of waiting), times their number, would be many times what ever happens, and every receiver
    /// would pay it. Behind the last datagram the interleaver drains at the least spacing.
    private static func longestSpan(
        _ program: Program, _ plan: MultiplexPlan, _ configuration: InterleavingConfiguration
    ) -> TimeSpan {
        let count = 2 * configuration.block.lead
        var multiplexer = Multiplexer(program, plan: plan)
        var bytes = [UInt8](repeating: 0, count: Int(MultiplexPolicy.packetBits / 8) * plan.packetsPerDatagram)
        // The end of datagram n at n mod count.
        var ends: [TimeSpan] = []
        var datagrams = 0
        // Sources that are stopped pad their last datagrams with null packets.
        var longest = configuration.longestSpan
        while let (_, end) = bytes.withUnsafeMutableBytes({ multiplexer.nextDatagram(into: $0) }) {
            if ends.count < count {
                ends.append(end)
            } else {
                longest = max(longest, end - ends[datagrams % count])
                ends[datagrams % count] = end
            }
            datagrams += 1
        }
        // A stream shorter than that: from its first datagram to where the drain ends.
        if datagrams <= count, let first = ends.first, let last = ends.last {
            longest = max(longest, last - first + configuration.leastTime(datagrams: count - datagrams + 1))
        }
        return longest
    }
}
