import Timebase
import Wire

extension TransportStreamMonitor {
    /// Takes a PCR of the packet that passes at `last`.
    mutating func takePCR(_ pcr: Int64, _ place: Int, isDiscontinuous: Bool) {
        var state = states[place]
        if state.lastPCRInstant != .min {
            let interval = last.nanoseconds - state.lastPCRInstant
            pcrIntervalMaximum = max(pcrIntervalMaximum ?? .zero, .nanoseconds(interval))
            let isLate = interval > Limit.pcrInterval.nanoseconds
            var step = (pcr - state.lastPCR) % TransportPacket.pcrPeriod
            if step < 0 { step += TransportPacket.pcrPeriod }
            // 100 ms in ticks of 27 MHz: 2.7 million.
            let jumps = !isDiscontinuous && step > MediaClock.ticks(Limit.pcrInterval, rate: MediaClock.system)
            if isLate { errors.pcrRepetition += 1 }
            if jumps { errors.pcrDiscontinuity += 1 }
            if isLate || jumps { errors.pcr += 1 }
        }
        state.lastPCR = pcr
        state.lastPCRInstant = last.nanoseconds
        if let rate = constantRate {
            if state.hasReference, state.referenceSegment == segment, !isDiscontinuous {
                judgeAccuracy(pcr, state, rate)
            } else {
                state.hasReference = true
                state.referencePCR = pcr
                state.referencePacket = packets
                state.referenceSegment = segment
            }
        }
        states[place] = state
    }

    /// PCR accuracy (TR 101 290 §5.3.2.4): e = P − (P₀ + (b − b₀)·8·27·10⁶/R), from places in the stream alone.
    ///
    /// The byte to which a PCR refers is at the same place in every packet, so that whole packets are counted.
    private mutating func judgeAccuracy(_ pcr: Int64, _ state: PIDState, _ rate: Int64) {
        let period = TransportPacket.pcrPeriod
        var ticks = (pcr - state.referencePCR) % period
        if ticks < 0 { ticks += period }
        let bits = (packets - state.referencePacket) * Int64(TransportPacket.length * 8)
        // The clock went round this often since the reference: whatever brings it nearest to its place.
        let elapsed = Int128(bits) * 27_000_000
        let rounds = (elapsed - Int128(ticks) * Int128(rate) + Int128(period) * Int128(rate) / 2)
        let laps = Int64(clamping: Self.floor(rounds, Int128(period) * Int128(rate)))
        let difference = (Int128(ticks) + Int128(laps) * Int128(period)) * Int128(rate) - elapsed
        // Ticks times the rate, to nanoseconds, to the nearest.
        let scale = Int128(rate) * 27
        let error = Int64(clamping: Self.floor(difference * 1000 + scale / 2, scale))
        pcrAccuracy.add(error)
        if error.magnitude > UInt64(Limit.pcrAccuracy.nanoseconds) { errors.pcrAccuracy += 1 }
    }

    /// The quotient rounded toward negative infinity; the divisor is positive.
    private static func floor(_ dividend: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
