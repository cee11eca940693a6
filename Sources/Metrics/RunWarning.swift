import Timebase

/// What makes a run's numbers less than they seem. Facts only: `Results` words them.
public enum RunWarning: Equatable, Sendable {
    /// Found when the program or the scenario was read, in the words of who found it.
    case program(String)
    /// A link refused to guarantee the rate that a session asked for, and the session sent nothing.
    case reservationRefused(flow: String, link: String, reason: String)
    /// What was sent came in bursts of `needed` bytes, more than the `reserved`: its delay bound does not hold.
    case burstBeyondReservation(flow: String, needed: Int64, reserved: Int64)
    /// So many units were multiplexed after their decoding time.
    case multiplexedTooLate(units: Int64)
    /// Something was sent and nothing arrived.
    case nothingArrived(receiver: String)
    /// More than a tenth of the datagrams delivered came after their release.
    case lateDatagrams(receiver: String, late: Int64, delivered: Int64)
    /// Datagrams waited for their release for `last` at least in the end, and for no more than `first` in the beginning.
    case waitsGrew(receiver: String, first: TimeSpan, last: TimeSpan)
    /// Not one unit was ever presented.
    case neverPresented(receiver: String, substream: String)
    /// Nothing was presented any more for `span` before the program's end.
    case stoodStill(receiver: String, substream: String, span: TimeSpan)
    /// In the end no majority of a node's time servers agreed on a time, and its clock ran on by itself.
    case noMajorityOfServers(node: String)
    /// A clock was farther off than the panic limit, and its client gave up.
    case clockGivenUp(node: String)
    /// A round trip to a time server took less than twice what one way is said to take at least.
    case minimumDelayTooLong(node: String, roundTrip: TimeSpan, minimumDelay: TimeSpan)
    /// A clock that an algorithm should have set never was.
    case neverSynchronized(node: String, algorithm: String, exchanges: Int64)
    /// The QoS contract holds and says nothing of the units presented: of some substream less than nine tenths were.
    case fewPresented(receiver: String, substream: String, onTime: Int64, sent: Int64)
}
