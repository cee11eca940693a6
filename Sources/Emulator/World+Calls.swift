import BasicContainers
import Media
import Metrics
import Sender
import Timebase

extension World {
    /// A call as a receiver heard it.
    func measurements(of call: CallConfiguration, receiver index: Int) -> CallMeasurements {
        let substream = configuration.program.substreams[call.lane]
        var result = CallMeasurements()
        result.id = substream.id
        result.receiver = configuration.receivers[index].id
        result.codec = call.codec
        result.impairment = call.impairment
        let first = index * ledger.rowCount
        let lane = ledger.receivers[first].lanes[call.lane]
        result.losses = lane.losses ?? BurstRatio()
        let row = first + (configuration.sessions == nil ? 0 : call.lane)
        guard let mouthToEar = lane.endToEnd.distribution?.mean,
            let network = ledger.receivers[row].quality.delays.distribution?.mean,
            let buffer = ledger.receivers[row].playoutDelay.distribution?.mean
        else { return result }
        let filling = MediaClock.span(ticks: substream.fillingDuration, rate: MediaClock.ninetyKilohertz)
        result.delay = CallMeasurements.Delay(
            mouthToEar: mouthToEar, packetizing: filling.nanoseconds,
            sending: (configuration.plan.latency - filling).nanoseconds, network: network, buffer: buffer)
        return result
    }
}
