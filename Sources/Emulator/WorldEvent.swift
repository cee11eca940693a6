import Receiver
import Timebase
import Wire

/// What happens in the World, as it tells its ledger. Numbers only; true time beside them is when it happened.
enum WorldEvent {
    /// The multiplex has reached a datagram.
    case multiplexed(Packet)
    /// A datagram of the program goes out.
    case sent(Packet)
    /// A packet is lost on a link, or given up by its queue.
    case dropped(Packet, link: Int, PacketFate)
    /// A datagram of the program has come to a receiver, here as below by its row (``RunLedger/receivers``); `measured` is its delay by the two nodes' disciplined clocks.
    case arrived(Packet, receiver: Int, measured: TimeSpan)
    /// A receiver's network stack throws a datagram away whose checksum is wrong.
    case refused(Packet, receiver: Int)
    /// A fault of a node takes a datagram of the program: the sender's before it goes out, a receiver's when it has come.
    case lostAtNode(Packet, node: Int)
    /// A receiver's playout buffer has released a datagram, whose time is that of its arrival; what still waits lasts for `depth`.
    case released(Packet, receiver: Int, depth: TimeSpan)
    /// A receiver has no use for a datagram.
    case discarded(Packet, receiver: Int, ReceiverOutput.Discard)
    /// A unit is on screen or heard from now on; 90 kHz ticks. `picturesEnd` is where the last picture sent by now ends on
    /// the program's timeline.
    case presented(receiver: Int, lane: Int, ticks: Int64, picturesEnd: TimeSpan)
    /// All that will come of a unit has come.
    case closed(receiver: Int, ReceivedUnit)
    /// A unit that had been closed is not presented: the receiver has crashed.
    case forgotten(receiver: Int, lane: Int, ticks: Int64, UnitVerdict)
    /// A datagram of the control plane has come to a node.
    case controlArrived(Packet, node: Int)
    /// An agent at a node has found something out.
    case found(AgentEvent, node: Int)
    /// A node's clock has been adjusted.
    case adjusted(node: Int)
    /// A receiver does what a command asks for.
    case commanded(receiver: Int, PlaybackCommand, CommandLedger.Name)
}

/// What stands for an event in a run's digest. Never given another meaning: digests are compared over versions.
enum EventTag: UInt8 {
    case sent = 1
    case dropped = 2
    case arrived = 3
    case released = 4
    case discarded = 5
    case closed = 6
    case presented = 7
    case senderReportArrived = 8
    case receiverReportArrived = 9
    case refused = 10
    case controlArrived = 11
    case commanded = 12
    case lostAtNode = 13
    case forgotten = 14
}
