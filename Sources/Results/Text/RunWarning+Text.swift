import Metrics
import Timebase

extension RunWarning {
    /// The sentence that run.json and people get.
    package var text: String {
        switch self {
        case .program(let sentence): sentence
        case .reservationRefused(let flow, let link, let reason):
            "\(flow): \(link) refused the reservation: \(reason); nothing was sent"
        case .burstBeyondReservation(let flow, let needed, let reserved):
            "\(flow): its datagrams came in bursts of \(needed) bytes, more than the \(reserved) reserved: "
                + "the delay bound does not hold"
        case .multiplexedTooLate(let units):
            "\(units) units were multiplexed after their decoding time: raise sender.mux_rate"
        case .nothingArrived(let receiver): "\(receiver): nothing arrived"
        case .lateDatagrams(let receiver, let late, let delivered):
            "\(receiver): \(late) of \(delivered) datagrams came after their release: "
                + "a longer playout is needed, or clocks that agree"
        case .waitsGrew(let receiver, let first, let last):
            "\(receiver): datagrams waited for playout at least \(first.nanoseconds / 1_000_000) ms at first and "
                + "\(last.nanoseconds / 1_000_000) ms in the end: "
                + "its clock is slow beside the sender's, or the way to it got shorter, by a fault's end too"
        case .neverPresented(let receiver, let substream):
            "\(receiver): no unit of '\(substream)' was ever presented"
        case .stoodStill(let receiver, let substream, let span):
            "\(receiver): '\(substream)' stood still for the last \(span.nanoseconds / 1_000_000_000) s of the program"
        case .noMajorityOfServers(let node):
            "\(node): in the end no majority of its time servers agreed on a time: its clock runs on by itself"
        case .clockGivenUp(let node):
            "\(node): its clock was farther off than clocks.synchronization.ntp.panic_limit: nothing sets it any more"
        case .minimumDelayTooLong(let node, let roundTrip, let minimumDelay):
            "\(node): a round trip took \(Format.time(roundTrip.nanoseconds)), less than twice "
                + "clocks.synchronization.cristian.minimum_delay, \(Format.time(minimumDelay.nanoseconds)): "
                + "the bound claimed of its clock does not hold"
        case .neverSynchronized(let node, let algorithm, let exchanges):
            "\(node): its clock was never set by \(algorithm): "
                + (exchanges == 0
                    ? "no answer came that could be used" : "the \(exchanges) answers were too few or too late")
        case .fewPresented(let receiver, let substream, let onTime, let sent):
            "\(receiver): \(onTime) of \(sent) units of '\(substream)' were presented on time: the contract holds for what "
                + "came, and says nothing of the rest; qos.presented does"
        }
    }
}
